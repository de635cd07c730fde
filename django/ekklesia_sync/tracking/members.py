"""Records what changed for members, given what their section was before."""
from django.db import router

from ekklesia_sync import conf
from ekklesia_sync.kennitala import without_hyphen
from ekklesia_sync.tracking.lock import begin_writing, lock_known, lock_members
from ekklesia_sync.tracking.record import record_change, record_many
from ekklesia_sync.models import MemberSyncQueue, MemberVersion
from ekklesia_sync.wire import shared_of

# Members a round when one change touches many: bounds the memory and the length of the IN lists.
CHUNK = 500


def ssns_of(pks, using):
    """{member pk: kennitala without hyphen} for the members that exist."""
    model = conf.member_model()
    rows = model._base_manager.using(using).filter(pk__in=[pk for pk in pks if pk is not None])
    return {pk: without_hyphen(ssn) for pk, ssn in rows.values_list('pk', conf.get('FIELDS')['ssn'])}


def lock_and_load(section, pks, using):
    """Locks the members and answers {pk: the section's value now}; members that do not exist are left out."""
    pks = {pk for pk in pks if pk is not None}
    if not pks:
        return {}
    begin_writing(using)
    unknown = pks - lock_known(pks, using)
    if unknown:
        found = ssns_of(unknown, using)
        lock_members(found.values(), using)
        pks -= unknown - set(found)
    return section.load(sorted(pks), using)


def record_difference(section, before, using):
    """Writes an update for each member of `before` ({pk: value}) whose section is another now."""
    if not before:
        return
    after = section.load(sorted(before), using)
    changed = {pk: section.changes(before[pk], after[pk]) for pk in before if pk in after}
    changed = {pk: fields for pk, fields in changed.items() if fields}
    ssns = ssns_of(changed, using) if changed else {}
    for pk, is_shared in sorted(counting(ssns, using).items()):
        if is_shared:
            record_change(ssns[pk], pk, MemberSyncQueue.UPDATE, changed[pk], using)
        else:
            record_gone(ssns[pk], pk, using)


def counting(ssns, using):
    """{pk: whether it is shared now} for those of {pk: kennitala} whose data the mirrors have; all others are nobody's business.

    Also who was shared when the last version was made: what MEMBER_FILTER looks at was changed without a signal then,
    and the mirrors have yet to be told.
    """
    shared = shared_of(ssns.values(), using)
    hidden = [ssn for ssn in ssns.values() if ssn not in shared]
    told = dict(MemberVersion.objects.using(using).filter(ssn__in=hidden).exclude(digest='').values_list(
        'ssn', 'django_id')) if hidden else {}
    return {pk: ssn in shared for pk, ssn in ssns.items() if shared.get(ssn, told.get(ssn)) == pk}


def record_own(section, pk, before, after, did_count, using):
    """Records what a write of the member's own row under one kennitala means: who is not shared any more is deleted."""
    ssn = after['ssn']
    if shared_of([ssn], using).get(ssn) == pk:
        fields = section.changes(before, after) if did_count else after
        if fields:
            action = MemberSyncQueue.UPDATE if did_count else MemberSyncQueue.CREATE
            record_change(ssn, pk, action, fields, using)
    elif did_count:
        record_gone(ssn, pk, using)


def record_gone(ssn, pk, using):
    """The row stands for this kennitala no longer: the next row with the same number does, or nobody."""
    successor = shared_of([ssn], using).get(ssn)
    if successor is None:
        record_change(ssn, pk, MemberSyncQueue.DELETE, {}, using)
    else:
        record_change(ssn, successor, MemberSyncQueue.UPDATE, {}, using)


def record_section_for(section, pks, using):
    """Writes an update with the section's whole value for each member: for changes that touch many at once."""
    pks = sorted(pks)
    for start in range(0, len(pks), CHUNK):
        chunk = pks[start:start + CHUNK]
        ssns = ssns_of(chunk, using)
        lock_members(ssns.values(), using)
        values = section.load(list(ssns), using)
        record_many([(ssns[pk], pk, section.whole(values[pk])) for pk in sorted(ssns)], using)


def outbox_database():
    """The database that holds the outbox: the members' own, or a change and its row could not commit together."""
    return router.db_for_write(conf.member_model())
