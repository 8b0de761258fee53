/* SPDX-License-Identifier: MIT */
#include "libnet/nft.h"

#include "base/alloc.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

/* One port with all the addresses that it can have needs about a third; the kernel takes 200
 * KiB.
 */
#define BATCH_MAX (128U << 10)
/* The largest message, a rule, is far below this. */
#define MESSAGE_MAX 2048U

/* Numbers of nft(8) for the kinds of what is in a set; the kernel only keeps them. */
#define TYPE_IPV4ADDR 7
#define TYPE_IFNAME   41
#define TYPE_IPV6ADDR 8
#define TYPE_PROTO    12
#define TYPE_PORT     13
/* Of several in a row it makes one number, six bits each. */
#define TYPE_FLOW(addr)                                                                        \
	((uint32_t)(addr) << 24 | (uint32_t)(addr) << 18 | TYPE_PROTO << 12 | TYPE_PORT << 6 | \
	 TYPE_PORT)

/* How many addresses a DHCP server may have given to one port: more are not learned. */
#define LEARN_MAX 64

struct nft_batch {
	size_t len;
	unsigned int seq;
	bool full;
	struct nlmsghdr *last;
	char data[BATCH_MAX] __attribute__((aligned(8)));
	char spill[MESSAGE_MAX]
		__attribute__((aligned(8))); /* where messages go once it is full */
};

static struct nlmsghdr *put_message(void *where, uint16_t type, uint16_t flags,
				    unsigned int seq, uint8_t family, uint16_t res_id)
{
	struct nlmsghdr *m = mnl_nlmsg_put_header(where);
	struct nfgenmsg *nfg;

	m->nlmsg_type = type;
	m->nlmsg_flags = NLM_F_REQUEST | flags;
	m->nlmsg_seq = seq;
	nfg = mnl_nlmsg_put_extra_header(m, sizeof(*nfg));
	nfg->nfgen_family = family;
	nfg->version = NFNETLINK_V0;
	nfg->res_id = htons(res_id);
	return m;
}

/* What the message that is written last takes is known when the next one begins. */
static void *room(struct nft_batch *b)
{
	if (b->last)
		b->len += NLMSG_ALIGN(b->last->nlmsg_len);
	b->last = NULL;
	if (b->full || b->len + MESSAGE_MAX > BATCH_MAX) {
		b->full = true;
		return b->spill;
	}
	b->last = (struct nlmsghdr *)(b->data + b->len);
	return b->last;
}

static struct nlmsghdr *begin(struct nft_batch *b, uint16_t type, uint16_t flags)
{
	return put_message(room(b), (uint16_t)(NFNL_SUBSYS_NFTABLES << 8) | type, flags,
			   ++b->seq, NFPROTO_BRIDGE, 0);
}

static void put_u32(struct nlmsghdr *m, uint16_t type, uint32_t value)
{
	mnl_attr_put_u32(m, type, htonl(value));
}

struct nft_batch *nft_begin(void)
{
	struct nft_batch *b = xcalloc(1, sizeof(*b));
	struct nlmsghdr *m;

	(void)put_message(room(b), NFNL_MSG_BATCH_BEGIN, 0, ++b->seq, AF_UNSPEC,
			  NFNL_SUBSYS_NFTABLES);
	m = begin(b, NFT_MSG_NEWTABLE, NLM_F_CREATE);
	mnl_attr_put_strz(m, NFTA_TABLE_NAME, NFT_TABLE);
	return b;
}

void nft_free(struct nft_batch *b)
{
	free(b);
}

void nft_free_p(struct nft_batch **b)
{
	nft_free(*b);
}

void nft_add_chain(struct nft_batch *b, const char *chain)
{
	struct nlmsghdr *m = begin(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE);

	mnl_attr_put_strz(m, NFTA_CHAIN_TABLE, NFT_TABLE);
	mnl_attr_put_strz(m, NFTA_CHAIN_NAME, chain);
}

void nft_add_base_chain(struct nft_batch *b, const char *chain, enum nft_hook hook,
			int priority)
{
	static const uint32_t numbers[] = {
		[NFT_HOOK_PREROUTING] = NF_INET_PRE_ROUTING,
		[NFT_HOOK_INPUT] = NF_INET_LOCAL_IN,
		[NFT_HOOK_POSTROUTING] = NF_INET_POST_ROUTING,
	};
	struct nlmsghdr *m = begin(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	struct nlattr *nest;

	mnl_attr_put_strz(m, NFTA_CHAIN_TABLE, NFT_TABLE);
	mnl_attr_put_strz(m, NFTA_CHAIN_NAME, chain);
	nest = mnl_attr_nest_start(m, NFTA_CHAIN_HOOK);
	put_u32(m, NFTA_HOOK_HOOKNUM, numbers[hook]);
	put_u32(m, NFTA_HOOK_PRIORITY, (uint32_t)priority);
	mnl_attr_nest_end(m, nest);
	mnl_attr_put_strz(m, NFTA_CHAIN_TYPE, "filter");
	put_u32(m, NFTA_CHAIN_POLICY, NF_ACCEPT);
}

static struct nlmsghdr *begin_set(struct nft_batch *b, const char *set, uint32_t flags,
				  uint32_t type, uint32_t len)
{
	struct nlmsghdr *m = begin(b, NFT_MSG_NEWSET, NLM_F_CREATE);

	mnl_attr_put_strz(m, NFTA_SET_TABLE, NFT_TABLE);
	mnl_attr_put_strz(m, NFTA_SET_NAME, set);
	put_u32(m, NFTA_SET_FLAGS, flags);
	put_u32(m, NFTA_SET_KEY_TYPE, type);
	put_u32(m, NFTA_SET_KEY_LEN, len);
	put_u32(m, NFTA_SET_ID, b->seq);
	/* Which byte order nft(8) is to show it in: the kernel keeps this for it. */
	mnl_attr_put(m, NFTA_SET_USERDATA, 6,
		     (uint8_t[6]){ 0, 4, type == TYPE_IFNAME ? 1 : 2 });
	return m;
}

void nft_add_verdict_map(struct nft_batch *b, const char *map)
{
	struct nlmsghdr *m = begin_set(b, map, NFT_SET_MAP, TYPE_IFNAME, IFNAMSIZ);

	put_u32(m, NFTA_SET_DATA_TYPE, NFT_DATA_VERDICT);
	put_u32(m, NFTA_SET_DATA_LEN, 0);
}

void nft_add_name_set(struct nft_batch *b, const char *set)
{
	(void)begin_set(b, set, 0, TYPE_IFNAME, IFNAMSIZ);
}

void nft_add_address_set(struct nft_batch *b, const char *set)
{
	struct nlmsghdr *m = begin_set(b, set, NFT_SET_EVAL, TYPE_IPV4ADDR, 4);
	struct nlattr *desc = mnl_attr_nest_start(m, NFTA_SET_DESC);

	put_u32(m, NFTA_SET_DESC_SIZE, LEARN_MAX);
	mnl_attr_nest_end(m, desc);
}

/* A port has so many at once, of each kind; beyond that answers to new ones are not known. */
#define FLOWS_MAX 32768

void nft_add_flow_set(struct nft_batch *b, const char *set, enum nft_field field)
{
	bool is_ip6 = field == NFT_FLOW6_SENT || field == NFT_FLOW6_ANSWER;
	struct nlmsghdr *m = begin_set(b, set, NFT_SET_EVAL | NFT_SET_TIMEOUT,
				       TYPE_FLOW(is_ip6 ? TYPE_IPV6ADDR : TYPE_IPV4ADDR),
				       (uint32_t)nft_field_len(field));
	struct nlattr *desc = mnl_attr_nest_start(m, NFTA_SET_DESC);

	put_u32(m, NFTA_SET_DESC_SIZE, FLOWS_MAX);
	mnl_attr_nest_end(m, desc);
}

static void put_element(struct nlmsghdr *m, const char *set, const char *name,
			const char *chain)
{
	char key[IFNAMSIZ] = { 0 };
	struct nlattr *list, *elem, *nest, *verdict;

	(void)memccpy(key, name, '\0', sizeof(key) - 1);
	mnl_attr_put_strz(m, NFTA_SET_ELEM_LIST_TABLE, NFT_TABLE);
	mnl_attr_put_strz(m, NFTA_SET_ELEM_LIST_SET, set);
	list = mnl_attr_nest_start(m, NFTA_SET_ELEM_LIST_ELEMENTS);
	elem = mnl_attr_nest_start(m, NFTA_LIST_ELEM);
	nest = mnl_attr_nest_start(m, NFTA_SET_ELEM_KEY);
	mnl_attr_put(m, NFTA_DATA_VALUE, sizeof(key), key);
	mnl_attr_nest_end(m, nest);
	if (chain) {
		nest = mnl_attr_nest_start(m, NFTA_SET_ELEM_DATA);
		verdict = mnl_attr_nest_start(m, NFTA_DATA_VERDICT);
		put_u32(m, NFTA_VERDICT_CODE, (uint32_t)NFT_GOTO);
		mnl_attr_put_strz(m, NFTA_VERDICT_CHAIN, chain);
		mnl_attr_nest_end(m, verdict);
		mnl_attr_nest_end(m, nest);
	}
	mnl_attr_nest_end(m, elem);
	mnl_attr_nest_end(m, list);
}

void nft_add_element(struct nft_batch *b, const char *set, const char *name, const char *chain)
{
	put_element(begin(b, NFT_MSG_NEWSETELEM, NLM_F_CREATE), set, name, chain);
}

void nft_delete_element(struct nft_batch *b, const char *set, const char *name)
{
	put_element(begin(b, NFT_MSG_DELSETELEM, 0), set, name, NULL);
}

void nft_add_rule(struct nft_batch *b, const char *chain, const struct nft_rule *rule)
{
	struct nlmsghdr *m = begin(b, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);

	mnl_attr_put_strz(m, NFTA_RULE_TABLE, NFT_TABLE);
	mnl_attr_put_strz(m, NFTA_RULE_CHAIN, chain);
	nft_put_rule(m, rule);
}

void nft_flush_chain(struct nft_batch *b, const char *chain)
{
	struct nlmsghdr *m = begin(b, NFT_MSG_DELRULE, 0);

	mnl_attr_put_strz(m, NFTA_RULE_TABLE, NFT_TABLE);
	mnl_attr_put_strz(m, NFTA_RULE_CHAIN, chain);
}

void nft_delete_chain(struct nft_batch *b, const char *chain)
{
	struct nlmsghdr *m = begin(b, NFT_MSG_DELCHAIN, 0);

	mnl_attr_put_strz(m, NFTA_CHAIN_TABLE, NFT_TABLE);
	mnl_attr_put_strz(m, NFTA_CHAIN_NAME, chain);
}

void nft_delete_set(struct nft_batch *b, const char *set)
{
	struct nlmsghdr *m = begin(b, NFT_MSG_DELSET, 0);

	mnl_attr_put_strz(m, NFTA_SET_TABLE, NFT_TABLE);
	mnl_attr_put_strz(m, NFTA_SET_NAME, set);
}

/* ---- talking to the kernel ----------------------------------------------------- */

static struct mnl_socket *open_socket(void)
{
	return mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
}

struct verdict {
	unsigned int last; /* the message that asked for an answer */
	bool answered;
	int first_error;
};

static void read_messages(struct verdict *v, const char *answer, ssize_t len)
{
	const struct nlmsghdr *m = (const struct nlmsghdr *)answer;
	int left = (int)len;

	for (; mnl_nlmsg_ok(m, left); m = mnl_nlmsg_next(m, &left)) {
		const struct nlmsgerr *err = mnl_nlmsg_get_payload(m);

		if (m->nlmsg_type != NLMSG_ERROR || m->nlmsg_len < mnl_nlmsg_size(sizeof(*err)))
			continue;
		if (err->error && !v->first_error)
			v->first_error = err->error;
		v->answered |= m->nlmsg_seq == v->last;
	}
}

/* All of the answer is there when the request has been sent. */
static int read_verdict(struct mnl_socket *sock, unsigned int last)
{
	char answer[8192] __attribute__((aligned(8)));
	struct verdict v = { .last = last };

	for (;;) {
		ssize_t len =
			recv(mnl_socket_get_fd(sock), answer, sizeof(answer), MSG_DONTWAIT);

		if (len < 0 && errno == EINTR)
			continue;
		if (len <= 0)
			break;
		read_messages(&v, answer, len);
	}
	if (v.first_error)
		return v.first_error;
	return v.answered ? 0 : -EIO;
}

int nft_commit(struct nft_batch *b)
{
	struct mnl_socket *sock;
	struct nlmsghdr *end;
	int r;

	/* The end of a batch is not acknowledged by older kernels; what is before it is. */
	if (b->last)
		b->last->nlmsg_flags |= NLM_F_ACK;
	end = put_message(room(b), NFNL_MSG_BATCH_END, 0, ++b->seq, AF_UNSPEC,
			  NFNL_SUBSYS_NFTABLES);
	if (b->full)
		return -EMSGSIZE;
	sock = open_socket();
	if (!sock)
		return -errno;
	if (mnl_socket_sendto(sock, b->data, b->len + end->nlmsg_len) < 0)
		r = -errno;
	else
		r = read_verdict(sock, b->seq - 1);
	(void)mnl_socket_close(sock);
	return r;
}

/* One question, which is answered by what it asks for or by an error. */
static int ask(struct nlmsghdr *request)
{
	char answer[8192] __attribute__((aligned(8)));
	struct mnl_socket *sock = open_socket();
	ssize_t len = -1;
	int r = 1;

	if (!sock)
		return -errno;
	if (mnl_socket_sendto(sock, request, request->nlmsg_len) >= 0)
		len = mnl_socket_recvfrom(sock, answer, sizeof(answer));
	if (len < 0 || mnl_cb_run(answer, (size_t)len, request->nlmsg_seq, 0, NULL, NULL) < 0)
		r = errno == ENOENT ? 0 : -errno;
	(void)mnl_socket_close(sock);
	return r;
}

/* EINVAL: netlink says that of a part which is not there. */
bool nft_is_missing(int r)
{
	return r == -EINVAL || r == -EPROTONOSUPPORT || r == -EOPNOTSUPP || r == -EAFNOSUPPORT;
}

int nft_has_chain(const char *chain)
{
	char request[MESSAGE_MAX] __attribute__((aligned(8)));
	struct nlmsghdr *m =
		put_message(request, (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETCHAIN, 0, 1,
			    NFPROTO_BRIDGE, 0);

	mnl_attr_put_strz(m, NFTA_CHAIN_TABLE, NFT_TABLE);
	mnl_attr_put_strz(m, NFTA_CHAIN_NAME, chain);
	return ask(m);
}

/* Sends the question M, whose answer are many messages: ON gets each of them. */
static int dump(struct nlmsghdr *m, mnl_cb_t on, void *data)
{
	char buffer[8192] __attribute__((aligned(8)));
	struct mnl_socket *sock = open_socket();
	int r = MNL_CB_OK;

	if (!sock)
		return -errno;
	if (mnl_socket_sendto(sock, m, m->nlmsg_len) < 0)
		r = MNL_CB_ERROR;
	while (r > MNL_CB_STOP) {
		ssize_t len = mnl_socket_recvfrom(sock, buffer, sizeof(buffer));

		r = len < 0 ? MNL_CB_ERROR
			    : mnl_cb_run(buffer, (size_t)len, m->nlmsg_seq, 0, on, data);
	}
	r = r < 0 ? -errno : 0;
	(void)mnl_socket_close(sock);
	return r;
}

struct chain_names {
	char **names;
	size_t count;
};

/* The kernel tells those of all tables. */
static int on_chain(const struct nlmsghdr *msg, void *data)
{
	struct chain_names *list = data;
	const char *table = NULL, *name = NULL;
	const struct nlattr *attr;

	mnl_attr_for_each(attr, msg, sizeof(struct nfgenmsg))
	{
		if (mnl_attr_get_type(attr) == NFTA_CHAIN_TABLE)
			table = mnl_attr_get_str(attr);
		else if (mnl_attr_get_type(attr) == NFTA_CHAIN_NAME)
			name = mnl_attr_get_str(attr);
	}
	if (!table || !name || strcmp(table, NFT_TABLE) != 0)
		return MNL_CB_OK;
	list->names = xrealloc_array(list->names, list->count + 1, sizeof(*list->names));
	list->names[list->count++] = xstrdup(name);
	return MNL_CB_OK;
}

static void forget_names(struct chain_names *list)
{
	while (list->count > 0)
		free(list->names[--list->count]);
	free(list->names);
	*list = (struct chain_names){ 0 };
}

/* A list that changed while it was read says so, by EINTR. */
#define DUMP_TRIES 10

int nft_each_chain(void (*each)(void *data, const char *chain), void *data)
{
	char request[MESSAGE_MAX] __attribute__((aligned(8)));
	struct nlmsghdr *m =
		put_message(request, (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETCHAIN, NLM_F_DUMP,
			    1, NFPROTO_BRIDGE, 0);
	struct chain_names list = { 0 };
	int r = -EINTR;

	for (int i = 0; i < DUMP_TRIES && r == -EINTR; i++) {
		forget_names(&list);
		r = dump(m, on_chain, &list);
	}
	for (size_t i = 0; r == 0 && i < list.count; i++)
		each(data, list.names[i]);
	forget_names(&list);
	return r;
}

static int on_rule(const struct nlmsghdr *msg, void *data)
{
	(void)msg;
	*(int *)data = 1;
	return MNL_CB_OK;
}

int nft_has_rules(const char *chain)
{
	char request[MESSAGE_MAX] __attribute__((aligned(8)));
	struct nlmsghdr *m = put_message(request, (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETRULE,
					 NLM_F_DUMP, 1, NFPROTO_BRIDGE, 0);
	int found = 0, r;

	mnl_attr_put_strz(m, NFTA_RULE_TABLE, NFT_TABLE);
	mnl_attr_put_strz(m, NFTA_RULE_CHAIN, chain);
	r = dump(m, on_rule, &found);
	return r < 0 && r != -ENOENT ? r : found;
}

int nft_has_element(const char *set, const char *name)
{
	char request[MESSAGE_MAX] __attribute__((aligned(8)));
	struct nlmsghdr *m =
		put_message(request, (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETSETELEM, 0, 1,
			    NFPROTO_BRIDGE, 0);

	put_element(m, set, name, NULL);
	return ask(m);
}
