"""For code that changes members without signals: `QuerySet.update()`, `bulk_create`, raw SQL."""
from django.db import transaction

from ekklesia_sync.digests import keep_digests
from ekklesia_sync.models import MemberSyncQueue
from ekklesia_sync.tracking.lock import begin_writing, lock_members
from ekklesia_sync.tracking.members import CHUNK, outbox_database, record_section_for, ssns_of
from ekklesia_sync.tracking.record import record_change, record_many
from ekklesia_sync.sections import get_sections


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
            updated += section.model._base_manager.using(using).filter(pk__in=chunk).update(**values)
            after = section.load(chunk, using)
            changes = [
                (after[pk]['ssn'], pk, section.changes(before.get(pk), after[pk]))
                for pk in chunk if pk in after
            ]
            record_many([change for change in changes if change[2]], using)
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
            for pk in sorted(values):
                record_change(values[pk]['ssn'], pk, MemberSyncQueue.CREATE, values[pk], using, with_digest=False)
            keep_digests({value['ssn']: pk for pk, value in values.items()}, using)
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
