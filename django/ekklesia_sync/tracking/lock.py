"""The lock that makes a member's version grow in the order in which its changes commit.

Ids come from a sequence, and a sequence does not wait: without a lock, transaction A could take id 10
and B id 11, B commit and be delivered first, and A's change (sent as version 10) be dropped by the
portal as stale although it is the newer state. So each change first takes the member's row in
`MemberVersion` and keeps it until commit: whoever gets the later id commits later.

The lock is taken *before* the registry's own rows are written (pre_save, pre_delete, pre_add), so that
every path locks in the same order, and on a table of ours, so that it does not collide with the key
locks that foreign keys take on the member. SQLite has one writer at a time, which orders as well.
"""
from django.db import IntegrityError, connections, transaction

from ekklesia_sync.kennitala import is_trackable
from ekklesia_sync.models import MemberVersion


def begin_writing(using):
    """On SQLite, takes the one write lock before the transaction reads.

    A transaction that has read and then wants to write is turned away at once ("database is locked") when
    another connection, such as the delivery thread's, has written in between; one that starts by writing
    waits for its turn. Elsewhere nothing is done.
    """
    if connections[using].vendor == 'sqlite':
        MemberVersion.objects.using(using).filter(pk=0).update(version=0)


def lock_members(ssns, using):
    """Locks the members with these kennitalas (no hyphens) until the transaction ends, in one order for all."""
    wanted = sorted(ssn for ssn in set(ssns) if is_trackable(ssn))
    locked = set(_lock_existing(wanted, using))
    missing = [ssn for ssn in wanted if ssn not in locked]
    if missing:
        _add(missing, using)
        _lock_existing(missing, using)


def lock_known(pks, using):
    """Locks the members with these primary keys that have had an event before; answers their primary keys."""
    rows = MemberVersion.objects.using(using).select_for_update().filter(django_id__in=pks)
    return set(rows.order_by('ssn').values_list('django_id', flat=True))


def _add(ssns, using):
    rows = MemberVersion.objects.using(using)
    try:
        with transaction.atomic(using=using):
            rows.bulk_create([MemberVersion(ssn=ssn) for ssn in ssns])
    except IntegrityError:
        # Two first changes of one member at once: this one waited on the unique index until the other committed.
        for ssn in ssns:
            rows.get_or_create(ssn=ssn)


def _lock_existing(ssns, using):
    rows = MemberVersion.objects.using(using).select_for_update().filter(ssn__in=ssns)
    return list(rows.order_by('ssn').values_list('ssn', flat=True))
