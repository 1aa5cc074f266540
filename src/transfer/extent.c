#include "config.h"

#include "transfer/extent.h"

void
extent_split(struct extent *tree, uint64_t position, struct extent **below, struct extent **above)
{
	while (tree != NULL) {
		if (tree->from < position) {
			*below = tree;
			below = &tree->right;
			tree = tree->right;
		} else {
			*above = tree;
			above = &tree->left;
			tree = tree->left;
		}
	}
	*below = NULL;
	*above = NULL;
}

struct extent *
extent_join(struct extent *below, struct extent *above)
{
	struct extent *tree = NULL;
	struct extent **end = &tree;

	while (below != NULL && above != NULL) {
		if (below->priority >= above->priority) {
			*end = below;
			end = &below->right;
			below = below->right;
		} else {
			*end = above;
			end = &above->left;
			above = above->left;
		}
	}
	*end = below != NULL ? below : above;
	return tree;
}

struct extent *
extent_first(struct extent *tree)
{
	while (tree != NULL && tree->left != NULL)
		tree = tree->left;
	return tree;
}

struct extent *
extent_last(struct extent *tree)
{
	while (tree != NULL && tree->right != NULL)
		tree = tree->right;
	return tree;
}

struct extent *
extent_take_first(struct extent **tree)
{
	struct extent **at = tree;
	while (*at != NULL && (*at)->left != NULL)
		at = &(*at)->left;
	struct extent *first = *at;
	if (first != NULL) {
		*at = first->right;
		first->right = NULL;
	}
	return first;
}
