/* SPDX-License-Identifier: MIT */
#include "libhttp/http.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "libhttp/transfer.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define TRIES_MAX      200         /* of one job in all, progress or not */
#define PROGRESS_BYTES (64U << 10) /* less than that does not earn new tries */

static unsigned int or_default(unsigned int value, unsigned int def)
{
	return value ? value : def;
}

static struct http_policy with_defaults(const struct http_policy *policy)
{
	struct http_policy p = policy ? *policy : (struct http_policy){ 0 };

	p.tries = or_default(p.tries, 5);
	p.wait_ms = or_default(p.wait_ms, 1000);
	p.wait_max_ms = or_default(p.wait_max_ms, 60000);
	p.connect_s = or_default(p.connect_s, 15);
	p.stall_s = or_default(p.stall_s, 30);
	return p;
}

/* libcurl reads all of them but this one, which a CGI's client could set. */
static void adopt_capital_proxy(void)
{
	const char *capital = getenv("HTTP_PROXY");

	if (capital && !getenv("REQUEST_METHOD"))
		(void)setenv("http_proxy", capital, 0);
}

static void init_once(void)
{
	static bool done;

	if (done)
		return;
	done = true;
	adopt_capital_proxy();
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		abort(); /* memory */
}

/* ---- one try after another ------------------------------------------------ */

struct run {
	struct http_job *const *jobs;
	size_t count;
	size_t parallel;
	struct http_policy policy;
	const struct http_events *events;
	CURLM *multi;
	size_t running;
	size_t ended;
};

static void tell(const struct run *run, struct http_job *job, bool ended)
{
	if (run->events && run->events->progress)
		run->events->progress(run->events->data, job, ended);
}

static void end(struct run *run, struct http_transfer *t)
{
	t->ended = true;
	run->ended++;
	tell(run, t->job, true);
}

/* The pause before the next try: doubling, up to a quarter more by chance, or the server's. */
static int64_t pause_ms(const struct http_transfer *t)
{
	int64_t ms = t->policy->wait_ms, max = t->policy->wait_max_ms;
	curl_off_t asked = 0;
	unsigned char chance = 0;

	for (unsigned int i = 1; i < t->failed && ms < max; i++)
		ms *= 2;
	if (getrandom(&chance, 1, GRND_NONBLOCK) != 1)
		chance = 0;
	ms += ms * chance / 1024;
	(void)curl_easy_getinfo(t->easy, CURLINFO_RETRY_AFTER, &asked);
	if (asked > 0 && asked * 1000 > ms)
		ms = asked * 1000;
	return ms < max ? ms : max;
}

/* Does the server ask for more patience than we have? Then waiting less is of no use. */
static bool is_asked_too_much(const struct http_transfer *t)
{
	curl_off_t asked = 0;

	(void)curl_easy_getinfo(t->easy, CURLINFO_RETRY_AFTER, &asked);
	return asked * 1000 > (curl_off_t)t->policy->wait_max_ms;
}

static void give_up(struct run *run, struct http_transfer *t)
{
	struct http_job *job = t->job;
	curl_off_t asked = 0;

	job->result = t->why.code ? t->why.code : -EIO;
	(void)curl_easy_getinfo(t->easy, CURLINFO_RETRY_AFTER, &asked);
	if (is_asked_too_much(t))
		job->result =
			err_set(&job->err, job->result, "%s; it asks to wait %lld seconds",
				t->why.msg, (long long)asked);
	else if (t->total_tries > 1)
		job->result = err_set(&job->err, job->result, "%s (after %u tries)", t->why.msg,
				      t->total_tries);
	else
		job->err = t->why;
	end(run, t);
}

static void try_again(struct run *run, struct http_transfer *t)
{
	cleanup_free char *line = NULL;
	int64_t ms;

	if (t->job->have >= t->mark + PROGRESS_BYTES) {
		t->failed = 0;
		t->mark = t->job->have;
	}
	t->failed++;
	if (t->failed >= run->policy.tries || t->total_tries >= TRIES_MAX ||
	    is_asked_too_much(t)) {
		give_up(run, t);
		return;
	}
	ms = pause_ms(t);
	t->due_ms = clock_now_ms() + ms;
	line = xasprintf("%s; trying again in %lld.%lld s", t->why.msg, (long long)ms / 1000,
			 (long long)ms % 1000 / 100);
	if (run->events && run->events->retry)
		run->events->retry(run->events->data, t->job, line);
}

static void start(struct run *run, struct http_transfer *t)
{
	struct http_job *job = t->job;

	/* All of it is there from an earlier time. */
	if (job->fd >= 0 && job->size != HTTP_SIZE_ANY && job->have == job->size) {
		end(run, t);
		return;
	}
	t->total_tries++;
	job->result = transfer_prepare(t, &job->err);
	if (job->result < 0) {
		end(run, t);
		return;
	}
	if (curl_multi_add_handle(run->multi, t->easy) != CURLM_OK)
		abort(); /* memory */
	t->running = true;
	t->moved = 0;
	t->heard_ms = clock_now_ms();
	run->running++;
}

static void start_due(struct run *run)
{
	int64_t now = clock_now_ms();

	for (size_t i = 0; i < run->count && run->running < run->parallel; i++) {
		struct http_transfer *t = run->jobs[i]->transfer;

		if (!t->running && !t->ended && t->due_ms <= now)
			start(run, t);
	}
}

/* When the silence is too long. As long as nothing moved, it may still be connecting. */
static int64_t stalled_ms(const struct http_transfer *t)
{
	unsigned int s = t->policy->stall_s + (t->moved ? 0 : t->policy->connect_s);

	return t->heard_ms + (int64_t)s * 1000;
}

/* How long nothing is due. */
static int idle_ms(const struct run *run)
{
	int64_t now = clock_now_ms(), wait = 1000;

	for (size_t i = 0; i < run->count; i++) {
		const struct http_transfer *t = run->jobs[i]->transfer;

		if (t->running && stalled_ms(t) - now < wait)
			wait = stalled_ms(t) - now;
		if (run->running < run->parallel && !t->running && !t->ended &&
		    t->due_ms - now < wait)
			wait = t->due_ms - now;
	}
	return wait > 0 ? (int)wait : 0;
}

static void conclude(struct run *run, struct http_transfer *t, CURLcode code)
{
	(void)curl_multi_remove_handle(run->multi, t->easy);
	t->running = false;
	run->running--;
	if (transfer_conclude(t, code))
		try_again(run, t);
	else
		end(run, t);
}

/* libcurl would notice by a speed that is an average over seconds. */
static void end_stalled(struct run *run)
{
	int64_t now = clock_now_ms();

	for (size_t i = 0; i < run->count; i++) {
		struct http_transfer *t = run->jobs[i]->transfer;
		int64_t moved;

		if (!t->running)
			continue;
		moved = transfer_moved(t);
		if (moved != t->moved) {
			t->moved = moved;
			t->heard_ms = now;
		} else if (stalled_ms(t) <= now) {
			(void)snprintf(t->text, sizeof(t->text), "not a byte for %u seconds",
				       t->policy->stall_s);
			conclude(run, t, CURLE_OPERATION_TIMEDOUT);
		}
	}
}

static void reap(struct run *run)
{
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(run->multi, &left))) {
		struct http_transfer *t = NULL;
		CURLcode code = msg->data.result;

		if (msg->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&t);
		conclude(run, t, code);
	}
}

static void report(const struct run *run)
{
	for (size_t i = 0; i < run->count; i++)
		if (run->jobs[i]->transfer->running)
			tell(run, run->jobs[i], false);
}

void http_run(struct http_job *const jobs[], size_t count, size_t parallel,
	      const struct http_policy *policy, const struct http_events *events)
{
	struct run run = { .jobs = jobs,
			   .count = count,
			   .parallel = parallel ? parallel : 1,
			   .policy = with_defaults(policy),
			   .events = events };
	int running;

	init_once();
	run.multi = curl_multi_init();
	if (!run.multi)
		abort(); /* memory */
	for (size_t i = 0; i < count; i++) {
		jobs[i]->transfer = xcalloc(1, sizeof(*jobs[i]->transfer));
		jobs[i]->transfer->job = jobs[i];
		jobs[i]->transfer->policy = &run.policy;
		jobs[i]->transfer->events = events;
		jobs[i]->transfer->mark = jobs[i]->have;
	}
	while (run.ended < count) {
		start_due(&run);
		(void)curl_multi_perform(run.multi, &running);
		report(&run);
		reap(&run);
		end_stalled(&run);
		if (run.ended < count)
			(void)curl_multi_poll(run.multi, NULL, 0, idle_ms(&run), NULL);
	}
	for (size_t i = 0; i < count; i++) {
		transfer_free(jobs[i]->transfer);
		jobs[i]->transfer = NULL;
	}
	(void)curl_multi_cleanup(run.multi);
}

int http_get(struct http_job *job, const struct http_policy *policy, struct err *e)
{
	struct http_job *const jobs[] = { job };

	http_run(jobs, 1, 1, policy, NULL);
	if (job->result < 0 && e)
		*e = job->err;
	return job->result;
}

void http_job_done(struct http_job *job)
{
	buf_done(&job->body);
}

bool http_parse_content_range(const char *text, uint64_t *ret_first, uint64_t *ret_last,
			      uint64_t *ret_total)
{
	uint64_t n[3] = { 0, 0, HTTP_SIZE_ANY };
	static const char after[3] = { '-', '/', '\0' };

	if (strncasecmp(text, "bytes ", 6) != 0)
		return false;
	text += 6;
	for (int i = 0; i < 3; i++) {
		char *end_of;

		if (i == 2 && strcmp(text, "*") == 0)
			break;
		if (*text < '0' || *text > '9')
			return false;
		errno = 0;
		n[i] = strtoull(text, &end_of, 10);
		if (errno || *end_of != after[i])
			return false;
		text = end_of + 1;
	}
	if (n[0] > n[1] || n[1] >= n[2])
		return false;
	*ret_first = n[0];
	*ret_last = n[1];
	*ret_total = n[2];
	return true;
}
