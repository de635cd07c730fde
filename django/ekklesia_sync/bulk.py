"""For code that changes members without signals: `QuerySet.update()`, `bulk_create`, raw SQL."""
from django.db import transaction

from ekklesia_sync.digests import keep_digests
from ekklesia_sync.models import MemberSyncQueue
from ekklesia_sync.sections import get_sections
from ekklesia_sync.tracking.lock import begin_writing, lock_members
from ekklesia_sync.tracking.members import (
    CHUNK, counting, outbox_database, record_own, record_section_for, ssns_of)
from ekklesia_sync.tracking.record import record_change, record_many
from ekklesia_sync.wire import shared_of


def update_members(queryset, **values):
    """`queryset.update(**values)` that also writes the outbox, in one transaction.

    Takes the member model's QuerySet and field values as `update()` does; answers the number of
    members updated. Members whose values were already so get no event. Not for the kennitala itself:
    that is another identity, and needs `save()`.
    """
    using = outbox_database()
    section = get_sections()[0]
    updated = 0
    if section.fields['ssn'] in values:
        raise ValueError('update_members cannot change the kennitala; save() each member')
    with transaction.atomic(using=using):
        begin_writing(using)
        pks = sorted(queryset.using(using).values_list('pk', flat=True))
        for start in range(0, len(pks), CHUNK):
            chunk = pks[start:start + CHUNK]
            lock_members(ssns_of(chunk, using).values(), using)
            before = section.load(chunk, using)
            did_count = _counting(before, using)
            updated += section.model._base_manager.using(using).filter(pk__in=chunk).update(**values)
            after = section.load(chunk, using)
            does_count = _counting(after, using)
            staying = sorted(pk for pk in did_count if does_count.get(pk))
            changes = [(after[pk]['ssn'], pk, section.changes(before[pk], after[pk])) for pk in staying]
            record_many([change for change in changes if change[2]], using)
            # A filter's column decides who comes and goes.
            for pk in sorted((set(did_count) | set(does_count)) - set(staying)):
                record_own(section, pk, before[pk], after[pk], pk in did_count, using)
    return updated


def announce_created(queryset):
    """Writes a `create` for each member of the QuerySet: after `bulk_create`, in the same transaction."""
    using = outbox_database()
    section = get_sections()[0]
    with transaction.atomic(using=using):
        begin_writing(using)
        pks = sorted(queryset.using(using).values_list('pk', flat=True))
        for start in range(0, len(pks), CHUNK):
            values = section.load(pks[start:start + CHUNK], using)
            lock_members([value['ssn'] for value in values.values()], using)
            shared = shared_of([value['ssn'] for value in values.values()], using)
            for ssn, pk in sorted(shared.items()):
                if pk in values:
                    record_change(ssn, pk, MemberSyncQueue.CREATE, values[pk], using, with_digest=False)
            keep_digests({ssn: pk for ssn, pk in shared.items() if pk in values}, using)
    return len(pks)


def announce_updated(queryset, section_name):
    """Writes an `update` with one whole section for each member: after a bulk change of related rows.

    `section_name` is a wire key (`contact_info`, `local_address`, `foreign_addresses`, `unions`,
    `titles`) or `member` for the member's own fields. Call it in the transaction that made the change.
    """
    using = outbox_database()
    section = {each.name: each for each in get_sections()}[section_name]
    with transaction.atomic(using=using):
        begin_writing(using)
        pks = set(queryset.using(using).values_list('pk', flat=True))
        record_section_for(section, pks, using)
    return len(pks)


def _counting(values, using):
    return counting({pk: value['ssn'] for pk, value in values.items()}, using)
