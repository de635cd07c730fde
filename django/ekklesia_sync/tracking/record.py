"""Writes outbox rows: one a member and transaction, its id the member's version."""
from django.db.models import BigIntegerField, Case, Max, Value, When
from django.utils import timezone

from ekklesia_sync.digests import keep_digests
from ekklesia_sync.models import MemberSyncQueue, MemberVersion
from ekklesia_sync.tracking.lock import lock_members
from ekklesia_sync.tracking.memo import transaction_memo
from ekklesia_sync.tracking.origin import current_origin
from ekklesia_sync.wire import shared_of

# Members a statement: two parameters for each of two columns, and SQLite once allowed 999.
VERSIONS_AT_ONCE = 100


def record_change(ssn, django_id, action, fields, using, with_digest=True):
    """Records one member's change in the running transaction; the member must be locked.

    Later changes in the same transaction join the first row: it becomes visible with all of them or
    with none. A delete takes the place of what the transaction recorded before, cascades included.
    Without `with_digest` the caller makes the digests of many members at once.
    """
    memo = transaction_memo(using)
    rows = MemberSyncQueue.objects.using(using)
    # A row that a savepoint's rollback took away is not found and a new one is written.
    earlier = rows.filter(pk=memo.rows[ssn], ssn=ssn).first() if ssn in memo.rows else None
    if earlier and action == MemberSyncQueue.DELETE:
        earlier.delete(using=using)
        earlier = None
    if earlier:
        _join(earlier, django_id, action, fields, using)
    else:
        _add(ssn, django_id, action, fields, memo, using)
    if with_digest:
        keep_digests({ssn: None if action == MemberSyncQueue.DELETE else django_id}, using)


def _add(ssn, django_id, action, fields, memo, using):
    origin, change_id = current_origin()
    now = timezone.now()
    row = MemberSyncQueue(
        ssn=ssn, django_id=django_id, action=action, origin=origin, change_id=change_id,
        created_at=now, next_attempt_at=now)
    row.fields_changed = fields
    row.save(using=using)
    memo.rows[ssn] = row.pk
    versions = MemberVersion.objects.using(using).filter(ssn=ssn)
    newest = dict(version=row.pk, changed_at=now, django_id=django_id)
    if not versions.update(**newest):
        # A kennitala that was changed without a signal: the lock was taken under the old one.
        lock_members([ssn], using)
        versions.update(**newest)


def record_many(members, using):
    """Records an update for each of [(ssn, django_id, fields)] in a few queries a hundred members.

    The members must be locked; who is not shared is left out. For fan-out (a street renamed) and the bulk helpers.
    """
    shared = shared_of([ssn for ssn, _, _ in members], using)
    members = [each for each in members if shared.get(each[0]) == each[1]]
    if not members:
        return
    transaction_memo(using)
    origin, change_id = current_origin()
    now = timezone.now()
    rows = []
    for ssn, django_id, fields in members:
        row = MemberSyncQueue(
            ssn=ssn, django_id=django_id, action=MemberSyncQueue.UPDATE, origin=origin, change_id=change_id,
            created_at=now, next_attempt_at=now)
        row.fields_changed = fields
        rows.append(row)
    MemberSyncQueue.objects.using(using).bulk_create(rows)
    pks_by_ssn = dict((ssn, pk) for ssn, pk, _ in members)
    _raise_versions([ssn for ssn, _, _ in members], pks_by_ssn, now, using)
    keep_digests(pks_by_ssn, using)


def _join(row, django_id, action, fields, using):
    if row.action == MemberSyncQueue.DELETE:
        # Deleted and registered again at once: to the portal, a create.
        row.action = action
        row.fields_changed = fields
    else:
        row.fields_changed = merged_fields(row.fields_changed, fields)
    row.django_id = django_id
    row.created_at = timezone.now()
    row.save(using=using)
    MemberVersion.objects.using(using).filter(ssn=row.ssn).update(changed_at=row.created_at, django_id=django_id)


def _raise_versions(ssns, django_ids, now, using):
    """Sets each member's version to its newest row. Not every database gives the ids of a bulk insert back."""
    for start in range(0, len(ssns), VERSIONS_AT_ONCE):
        batch = ssns[start:start + VERSIONS_AT_ONCE]
        rows = MemberSyncQueue.objects.using(using).filter(ssn__in=batch).order_by()
        newest = dict(rows.values_list('ssn').annotate(newest=Max('id')))
        MemberVersion.objects.using(using).filter(ssn__in=batch).update(
            version=_by_ssn({ssn: newest[ssn] for ssn in batch}),
            django_id=_by_ssn({ssn: django_ids[ssn] for ssn in batch}),
            changed_at=now)


def _by_ssn(values):
    cases = [When(ssn=ssn, then=Value(value)) for ssn, value in sorted(values.items())]
    return Case(*cases, output_field=BigIntegerField())


def merged_fields(older, newer):
    """Partial wire members joined: the newer value wins; `contact_info` is joined key by key."""
    result = dict(older)
    for key, value in newer.items():
        if key == 'contact_info' and isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = dict(result[key], **value)
        else:
            result[key] = value
    return result
