import logging

from django.test import TransactionTestCase, override_settings
from django.utils import timezone

from ekklesia_sync.models import MemberSyncQueue
from suite.helpers import webhook_settings
from suite.receiver import Receiver


class DeliveryCase(TransactionTestCase):
    def setUp(self):
        logging.getLogger('ekklesia_sync').setLevel(logging.CRITICAL)
        self.addCleanup(logging.getLogger('ekklesia_sync').setLevel, logging.WARNING)

    def receiver(self, answer=lambda request: (200, {}), **settings):
        receiver = Receiver(answer)
        self.addCleanup(receiver.close)
        override = override_settings(EKKLESIA_SYNC=webhook_settings(receiver.url, **settings))
        override.enable()
        self.addCleanup(override.disable)
        return receiver

    def statuses(self):
        return list(MemberSyncQueue.objects.order_by('id').values_list('sync_status', flat=True))

    def make_due(self):
        MemberSyncQueue.objects.update(next_attempt_at=timezone.now())
