"""What an answer to a webhook means for the event."""
import random
import time
from email.utils import mktime_tz, parsedate_tz

from ekklesia_sync import conf

DELIVERED, RETRY, REFUSED = 'delivered', 'retry', 'refused'

# Answers about this event's content: the same bytes will be refused again. All other failures are about
# the way there (401 while a secret is rotated, 403 and 404 while the function is being deployed, a
# redirect to a login page, 408, 429, 5xx) and may pass.
REFUSING_STATUSES = frozenset([400, 413, 415, 422])
LONGEST_DELAY_SECONDS = 86400
JITTER = 0.1


class Outcome(object):
    """`kind` is DELIVERED, RETRY or REFUSED; `error` a code for the operator; `retry_after` in seconds."""

    def __init__(self, kind, error='', retry_after=0.0, reached=True):
        self.kind = kind
        self.error = error
        self.retry_after = retry_after
        # Whether the receiver judged this event at all; when not, the next member's event would fare the same.
        self.reached = reached


def outcome_of(status, answer, retry_after_header=None):
    """What the status and the answer's JSON object say. Only the receiver itself delivers or refuses an event.

    A proxy, a login page or another server at a mistyped address may answer 200 or 400 to everything: all events would
    then be lost, or be dead letters.
    """
    if 200 <= status < 300:
        if answer.get('success') is True:
            return Outcome(DELIVERED)
        return Outcome(RETRY, 'unknown_answer', reached=False)
    if status in REFUSING_STATUSES and isinstance(answer.get('code'), str):
        return Outcome(REFUSED, 'http_{}'.format(status))
    return Outcome(RETRY, 'http_{}'.format(status), parse_retry_after(retry_after_header), reached=False)


def parse_retry_after(header):
    """Seconds from a Retry-After header (a number or an HTTP date), 0 when there is none to be read."""
    if not header:
        return 0.0
    if header.strip().isdigit():
        return float(min(int(header), LONGEST_DELAY_SECONDS))
    parsed = parsedate_tz(header)
    if parsed is None:
        return 0.0
    try:
        return min(max(mktime_tz(parsed) - time.time(), 0.0), LONGEST_DELAY_SECONDS)
    except (OverflowError, ValueError):
        return 0.0


def delay_after(attempts, retry_after=0.0):
    """Seconds until the next attempt after `attempts` failed ones, or None when there is none left.

    Never sooner than the receiver asks and never sooner than the table: a receiver that always answers
    `Retry-After: 1` must not use up all attempts within seconds.
    """
    table = conf.get('BACKOFF_SECONDS')
    if attempts > len(table):
        return None
    delay = table[attempts - 1] * random.uniform(1, 1 + JITTER)
    return min(max(delay, retry_after), LONGEST_DELAY_SECONDS * (1 + JITTER))
