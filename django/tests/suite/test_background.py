import time

from django.db import transaction
from django.test import override_settings

from ekklesia_sync.delivery import background
from suite.delivery_case import DeliveryCase
from suite.helpers import make_full_member, make_member, webhook_settings


class InTheBackground(DeliveryCase):
    def test_a_commit_is_delivered_by_the_thread(self):
        receiver = self.receiver(DELIVERY='thread')
        with transaction.atomic():
            make_full_member(1)
        self.assertTrue(background.join(10))
        self.assertEqual(receiver.requests[-1]['json']['data']['titles'], [{'name': 'Smiður'}])
        self.assertEqual(self.statuses(), ['synced'])

    def test_a_burst_is_delivered_once_a_version_and_ends_with_every_member_synced(self):
        receiver = self.receiver(DELIVERY='thread')
        members = [make_member(index) for index in range(1, 21)]
        for round_ in range(5):
            for member in members:
                member.name = 'Umferð {}'.format(round_)
                member.save()
        self.assertTrue(background.join(30))
        last = {request['json']['kennitala']: request['json']['data']['name'] for request in receiver.requests}
        self.assertEqual(last, {member.ssn: 'Umferð 4' for member in members})
        self.assertFalse(set(self.statuses()) - {'synced', 'superseded'})
        ids = [request['headers']['webhook-id'] for request in receiver.requests]
        self.assertEqual(len(ids), len(set(ids)))

    def test_no_save_waits_for_a_receiver_that_hangs(self):
        member = make_member(1)
        receiver = self.receiver(DELIVERY='thread', READ_TIMEOUT_SECONDS=20)
        receiver.answer = receiver.hang
        self._save(member)
        deadline = time.monotonic() + 10
        while not receiver.requests and time.monotonic() < deadline:
            time.sleep(0.01)
        for _ in range(40):
            self._save(member)
        # All were saved while the first event was still without its answer.
        self.assertEqual(len(receiver.requests), 1)
        self.assertFalse(receiver.released.is_set())
        receiver.answer = lambda request: (200, {})
        receiver.released.set()
        self.assertTrue(background.join(20))

    def test_a_server_that_restarts_takes_up_what_was_left_at_its_first_request(self):
        receiver = self.receiver(DELIVERY='command')
        make_member(1)
        with override_settings(EKKLESIA_SYNC=webhook_settings(receiver.url, DELIVERY='thread')):
            background._greeted.clear()
            self.client.get('/api/sync/status/')
            self.assertTrue(background.join(10))
        self.assertEqual(len(receiver.requests), 1)

    def _save(self, member):
        member.name = 'Nafn {}'.format(time.monotonic())
        member.save()
