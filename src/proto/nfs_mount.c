/* MOUNT (RFC 1094 appendix A, RFC 1813 section 5): which handle is the root of which export. */
#include "config.h"

#include "proto/nfs.h"

enum {
	MOUNT_MNT = 1,
	PATH_MAX_3 = 1024,
	HANDLE3_MAX = 64,
	HANDLE1_SIZE = 32,
};

enum rpc_step
nfs_mount_call(struct nfs *n, struct nfs_message *m, struct reader *r, uint32_t *bulk)
{
	struct nfs_call *call = m->call;
	(void)bulk;
	if (call->procedure != MOUNT_MNT)
		return RPC_STEP_OVER;
	struct reader path = rpc_opaque(r, PATH_MAX_3);
	if (!reader_ok(r))
		return RPC_STEP_MORE;
	call->op_count = 0;
	call->store_len = 0;
	nfs_call_text(call, nfs_call_op(call, MOUNT_MNT), 0, path);
	session_service(n->session, path.next, path.left);
	return RPC_STEP_OVER;
}

enum rpc_step
nfs_mount_reply(struct nfs *n, struct nfs_message *m, struct reader *r, uint32_t *bulk)
{
	const struct nfs_call *call = m->call;
	(void)bulk;
	if (call->op_count == 0)
		return RPC_STEP_OVER;
	uint32_t status = reader_be32(r);
	struct reader handle = call->version == 3 ? rpc_opaque(r, HANDLE3_MAX) : reader_sub(r, HANDLE1_SIZE);
	if (status != 0 || !reader_ok(r))
		return status != 0 ? RPC_STEP_OVER : RPC_STEP_MORE;
	struct nfs_id root = {0};
	struct reader path = nfs_op_text(call, &call->op[0], 0);
	nfs_id_root(&root);
	while (path.left > 0 && path.next[0] == '/')
		reader_skip(&path, 1);
	if (path.left > 0)
		nfs_id_enter(&root, path);
	nfs_name_learn(n, &root, handle);
	return RPC_STEP_OVER;
}
