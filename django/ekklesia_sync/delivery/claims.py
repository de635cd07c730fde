"""Who delivers which member: a claim with an owner and an expiry, on the member and not on the row.

One claim a member keeps the events of a member in order: the next is not sent while one is under way.
The claim is taken and given back in short transactions; none is open while the network is waited for.
A worker that dies leaves a claim that expires after CLAIM_SECONDS.
"""
import datetime

from django.db import connections, transaction
from django.db.models import Q
from django.utils import timezone

from ekklesia_sync import conf
from ekklesia_sync.delivery.outcome import JITTER, LONGEST_DELAY_SECONDS
from ekklesia_sync.models import MemberSyncQueue, MemberVersion
from ekklesia_sync.tracking.record import merged_fields

CANDIDATES = 20
LONGEST_DELAY = datetime.timedelta(seconds=LONGEST_DELAY_SECONDS * (1 + JITTER))


def claim_next(owner, using):
    """The newest due event of a free member, claimed for `owner` and its attempt counted, or None.

    Counting before the attempt caps an event that kills its worker each time.
    """
    for ssn in _due_members(using):
        with transaction.atomic(using=using):
            if not _take(ssn, owner, using):
                continue
            row = _newest(ssn, using)
            if row is None:
                release(ssn, owner, using)
                continue
            row.attempts += 1
            # Not the status: an operator may be cancelling it at this moment.
            row.save(using=using, update_fields=['attempts', 'action', 'fields_changed_json'])
            return row
    return None


def release(ssn, owner, using):
    """Gives the claim back; True when it was still the owner's."""
    rows = MemberVersion.objects.using(using).filter(ssn=ssn, claimed_by=owner)
    return rows.update(claimed_by='', claim_expires_at=None) == 1


def next_due_at(using):
    """When the earliest pending event is due, or None when nothing is pending."""
    rows = MemberSyncQueue.objects.using(using).filter(sync_status=MemberSyncQueue.PENDING)
    return rows.order_by('next_attempt_at').values_list('next_attempt_at', flat=True).first()


def _due_members(using):
    """The members with a due event whom nobody has claimed, the longest waiting first.

    Mostly the first can be had. But an import's transaction may hold hundreds until it commits, and the others must not
    wait for it.
    """
    limit, seen = CANDIDATES, set()
    while True:
        due = list(_due_ssns(using)[:limit])
        for ssn in due:
            if ssn not in seen:
                seen.add(ssn)
                yield ssn
        if len(due) < limit:
            return
        limit *= 2


def _due_ssns(using):
    now = timezone.now()
    taken = MemberVersion.objects.using(using).filter(
        claim_expires_at__gt=now, claim_expires_at__lte=_longest_claim(now)).values('ssn')
    # A time further off than any delay was written while the clock was wrong: it would hold the event back until then.
    due = Q(next_attempt_at__lte=now) | Q(next_attempt_at__gt=now + LONGEST_DELAY)
    rows = MemberSyncQueue.objects.using(using).filter(due, sync_status=MemberSyncQueue.PENDING).exclude(ssn__in=taken)
    return rows.order_by('next_attempt_at', 'id').values_list('ssn', flat=True)


def _longest_claim(now):
    """No worker that is alive holds a claim beyond it, though its clock may be some seconds ahead of this one's."""
    return now + datetime.timedelta(seconds=2 * conf.get('CLAIM_SECONDS'))


def _take(ssn, owner, using):
    now = timezone.now()
    free = MemberVersion.objects.using(using).filter(ssn=ssn).filter(
        Q(claim_expires_at__isnull=True) | Q(claim_expires_at__lte=now) | Q(claim_expires_at__gt=_longest_claim(now)))
    if connections[using].features.has_select_for_update_skip_locked:
        # A member whose change is about to commit is left alone, so that nobody waits for anybody.
        if free.select_for_update(skip_locked=True).first() is None:
            return False
    expires = now + datetime.timedelta(seconds=conf.get('CLAIM_SECONDS'))
    # The condition stands in the UPDATE itself: of two workers, one changes a row and the other none.
    return free.update(claimed_by=owner, claim_expires_at=expires) == 1


def _newest(ssn, using):
    """The member's newest pending event, with what the older ones said joined in; they are superseded."""
    rows = list(MemberSyncQueue.objects.using(using).filter(
        ssn=ssn, sync_status=MemberSyncQueue.PENDING).order_by('id'))
    if not rows:
        return None
    newest = rows[-1]
    fields, actions = {}, {row.action for row in rows}
    for row in rows:
        fields = {} if row.action == MemberSyncQueue.DELETE else merged_fields(fields, row.fields_changed)
    newest.fields_changed = fields
    if newest.action == MemberSyncQueue.UPDATE and MemberSyncQueue.CREATE in actions:
        # The portal has not heard of the member yet; the roster is refreshed by creates only.
        newest.action = MemberSyncQueue.CREATE
    older = [row.pk for row in rows[:-1]]
    MemberSyncQueue.objects.using(using).filter(pk__in=older, sync_status=MemberSyncQueue.PENDING).update(
        sync_status=MemberSyncQueue.SUPERSEDED, superseded_by=newest.pk)
    return newest
