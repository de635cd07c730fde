"""Delivers what is due, one member at a time."""
import datetime
import logging
import os
import socket
import uuid

import requests
from django.db import transaction
from django.utils import timezone

from ekklesia_sync import conf
from ekklesia_sync.delivery import claims, outcome as outcomes
from ekklesia_sync.delivery.event import make_event
from ekklesia_sync.delivery.transport import send
from ekklesia_sync.models import MemberSyncQueue, MemberVersion
from ekklesia_sync.tracking.members import outbox_database
from ekklesia_sync.wire import content_hash

log = logging.getLogger('ekklesia_sync')


class Totals(object):
    """What one pass did. `paused`: it stopped early because the receiver is away."""

    def __init__(self):
        self.delivered = self.retried = self.refused = 0
        self.paused = False


def make_owner():
    """A name for a worker: readable for the operator, unique for the claim."""
    return '{}:{}:{}'.format(socket.gethostname()[:24], os.getpid(), uuid.uuid4().hex[:12])


def deliver_due(owner=None, should_stop=lambda: False):
    """Delivers every due event once and answers Totals.

    After FAILURES_BEFORE_PAUSE failures in a row that say nothing about the event (no connection, 5xx,
    401), the pass ends: the receiver is away, and the rest keep their attempts for when it is back.
    """
    using = outbox_database()
    owner = owner or make_owner()
    totals = Totals()
    failures = 0
    with requests.Session() as session:
        while not should_stop():
            row = claims.claim_next(owner, using)
            if row is None:
                break
            event = make_event(row, using)
            outcome = send(session, row.webhook_id, event.body)
            _complete(row, owner, outcome, event, using)
            _count(totals, row, outcome)
            failures = failures + 1 if not outcome.reached else 0
            if failures >= conf.get('FAILURES_BEFORE_PAUSE'):
                totals.paused = True
                break
    return totals


def _complete(row, owner, outcome, event, using):
    """Writes the outcome, if the claim is still ours and the row was not cancelled or pulled meanwhile."""
    with transaction.atomic(using=using):
        if not claims.release(row.ssn, owner, using):
            return
        pending = MemberSyncQueue.objects.using(using).filter(pk=row.pk, sync_status=MemberSyncQueue.PENDING)
        if outcome.kind == outcomes.DELIVERED:
            pending.update(sync_status=MemberSyncQueue.SYNCED, synced_at=timezone.now(), last_error='')
            # The portal has a newer state than a dead letter held.
            MemberSyncQueue.objects.using(using).filter(
                ssn=row.ssn, pk__lt=row.pk, sync_status__in=MemberSyncQueue.OPEN,
            ).update(sync_status=MemberSyncQueue.SUPERSEDED, superseded_by=row.pk)
            MemberVersion.objects.using(using).filter(ssn=row.ssn).update(
                delivered_hash=content_hash(event.member) if event.member else '')
            return
        delay = outcomes.delay_after(row.attempts, outcome.retry_after)
        if outcome.kind == outcomes.REFUSED or delay is None:
            pending.update(sync_status=MemberSyncQueue.FAILED, last_error=outcome.error)
            return
        due = timezone.now() + datetime.timedelta(seconds=delay)
        pending.update(last_error=outcome.error, next_attempt_at=due)


def _count(totals, row, outcome):
    if outcome.kind == outcomes.DELIVERED:
        totals.delivered += 1
        log.info('webhook delivered: event %s, attempt %s', row.pk, row.attempts)
    elif outcome.kind == outcomes.REFUSED:
        totals.refused += 1
        log.error('webhook refused, dead letter: event %s, %s', row.pk, outcome.error)
    else:
        totals.retried += 1
        log.warning('webhook failed: event %s, attempt %s, %s', row.pk, row.attempts, outcome.error)
