import datetime
import threading
from unittest import mock, skipUnless

from django.db import connection, transaction
from django.utils import timezone

from ekklesia_sync.delivery import claims
from ekklesia_sync.delivery.worker import deliver_due
from ekklesia_sync.models import MemberSyncQueue, MemberVersion
from ekklesia_sync.tracking.lock import lock_members
from membership import models
from suite.delivery_case import DeliveryCase
from suite.helpers import make_member


class Claims(DeliveryCase):
    def test_one_member_is_claimed_by_one_worker(self):
        self.receiver()
        make_member(1)
        self.assertIsNotNone(claims.claim_next('one', 'default'))
        self.assertIsNone(claims.claim_next('two', 'default'))

    def test_a_later_change_waits_for_the_one_under_way(self):
        self.receiver()
        member = make_member(1)
        claims.claim_next('one', 'default')
        member.name = 'B'
        member.save()
        self.assertIsNone(claims.claim_next('two', 'default'))
        claims.release(member.ssn, 'one', 'default')
        self.assertEqual(claims.claim_next('two', 'default').fields_changed['name'], 'B')

    def test_a_dead_workers_claim_expires_and_its_attempt_counts(self):
        self.receiver()
        make_member(1)
        claims.claim_next('dead', 'default')
        MemberVersion.objects.update(claim_expires_at=timezone.now() - datetime.timedelta(seconds=1))
        self.assertEqual(claims.claim_next('alive', 'default').attempts, 2)

    def test_a_time_that_a_wrong_clock_wrote_holds_nothing_back(self):
        self.receiver()
        ahead = timezone.now() + datetime.timedelta(days=40)
        with mock.patch('django.utils.timezone.now', return_value=ahead):
            make_member(1)
            make_member(2)
            claims.claim_next('killed', 'default')
        deliver_due()
        self.assertEqual(self.statuses(), ['synced', 'synced'])

    def test_a_claim_of_a_server_whose_clock_is_ahead_is_kept(self):
        self.receiver()
        make_member(1)
        with mock.patch('django.utils.timezone.now', return_value=timezone.now() + datetime.timedelta(seconds=30)):
            claims.claim_next('ahead', 'default')
        self.assertIsNone(claims.claim_next('behind', 'default'))

    @skipUnless(connection.vendor == 'postgresql', 'SQLite has one writer')
    def test_members_whom_a_long_transaction_holds_keep_nobody_else_waiting(self):
        receiver = self.receiver()
        held = [make_member(index).ssn for index in range(1, 3 * claims.CANDIDATES)]
        free = make_member(1000)
        is_held, may_end = threading.Event(), threading.Event()

        def import_members():
            with transaction.atomic():
                lock_members(held, 'default')
                is_held.set()
                may_end.wait(30)
            connection.close()
        thread = threading.Thread(target=import_members)
        thread.start()
        self.assertTrue(is_held.wait(30))
        try:
            deliver_due()
        finally:
            may_end.set()
            thread.join()
        self.assertEqual([each['json']['kennitala'] for each in receiver.requests], [free.ssn])
        deliver_due()
        self.assertEqual(len(receiver.requests), len(held) + 1)

    def test_a_worker_that_lost_its_claim_completes_nothing(self):
        def steal(request):
            MemberVersion.objects.update(claimed_by='other')
            connection.close()
            return 200, {}
        self.receiver(steal)
        make_member(1)
        deliver_due('slow')
        self.assertEqual(self.statuses(), ['pending'])

    def test_a_cancelled_event_stays_cancelled_when_its_answer_comes(self):
        def cancel(request):
            MemberSyncQueue.objects.update(sync_status='cancelled')
            connection.close()
            return 200, {}
        self.receiver(cancel)
        make_member(1)
        deliver_due()
        self.assertEqual(self.statuses(), ['cancelled'])

    def test_no_transaction_is_open_while_the_network_is_waited_for(self):
        seen = []

        def answer(request):
            seen.append(models.Comrade.objects.update(internal_note='skrifað meðan beðið er'))
            connection.close()
            return 200, {}
        self.receiver(answer)
        make_member(1)
        deliver_due()
        self.assertEqual(seen, [1])
