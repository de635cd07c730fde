"""Finds members whose state the portal was never told: changes that no signal saw."""
from ekklesia_sync import conf
from ekklesia_sync.kennitala import without_hyphen
from ekklesia_sync.models import MemberSyncQueue, MemberVersion
from ekklesia_sync.times import for_database
from ekklesia_sync.tracking.members import CHUNK
from ekklesia_sync.wire import build_members, content_hash, exported_members, shared_of


def differing(using):
    """Primary keys of the members who differ from what the webhook last delivered and have no event waiting."""
    found = []
    last = 0
    while True:
        rows = exported_members(using).filter(pk__gt=last).order_by('pk')
        pks = list(rows.values_list('pk', flat=True)[:CHUNK])
        if not pks:
            return found
        last = pks[-1]
        built = build_members(pks, using)
        shared = shared_of([member['ssn'] for member in built], using)
        members = {member['ssn']: member for member in built if shared.get(member['ssn']) == member['id']}
        known = dict(MemberVersion.objects.using(using).filter(ssn__in=members).values_list('ssn', 'delivered_hash'))
        waiting = set(MemberSyncQueue.objects.using(using).filter(
            ssn__in=members, sync_status=MemberSyncQueue.PENDING).values_list('ssn', flat=True))
        found += [
            member['id'] for ssn, member in members.items()
            if ssn not in waiting and known.get(ssn, '') != content_hash(member)]


def vanished(using):
    """[(kennitala, primary key)] of those who were delivered or counted, and are no longer among the members.

    Of somebody from before the installation, whom nothing was delivered of, the sums of the digests know.
    """
    path = conf.get('FIELDS')['ssn']
    here = {without_hyphen(ssn) for ssn in exported_members(using).values_list(path, flat=True).iterator()}
    told = MemberVersion.objects.using(using).exclude(delivered_hash='', digest='')
    waiting = set(MemberSyncQueue.objects.using(using).filter(
        action=MemberSyncQueue.DELETE, sync_status=MemberSyncQueue.PENDING).values_list('ssn', flat=True))
    return [(ssn, django_id) for ssn, django_id in told.values_list('ssn', 'django_id')
            if ssn not in here and ssn not in waiting]


def changed_since(since, using):
    """Primary keys of the members with an event at or after this aware time."""
    changed = MemberVersion.objects.using(using).filter(
        changed_at__gte=for_database(since), django_id__isnull=False)
    return list(exported_members(using).filter(pk__in=changed.values('django_id')).order_by('pk')
                .values_list('pk', flat=True))
