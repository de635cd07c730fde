"""The body of one webhook."""
import json

from ekklesia_sync.models import MemberSyncQueue
from ekklesia_sync.times import as_wire
from ekklesia_sync.wire import find_member


class Event(object):
    """`body` are the bytes to sign and send; `member` is the wire member in it, None for a delete."""

    def __init__(self, body, member):
        self.body = body
        self.member = member


def make_event(row, using):
    """Builds the event from what the registry holds now, under the row's version.

    The data is at least as new as the version, never older. If the member has changed again since, that
    change has a later row and the portal takes it as well; so the queue needs no copy of the member.
    A member that is gone without a trace (raw SQL) is announced as deleted: the registry is the truth.
    """
    member = None
    if row.action != MemberSyncQueue.DELETE:
        member = find_member(row.ssn, using)
    content = {
        'kennitala': row.ssn,
        'action': row.action if member else MemberSyncQueue.DELETE,
        'version': row.pk,
        'occurred_at': as_wire(row.created_at),
    }
    if member:
        content['data'] = dict(member, version=row.pk)
    return Event(json.dumps(content, ensure_ascii=False).encode('utf-8'), member)
