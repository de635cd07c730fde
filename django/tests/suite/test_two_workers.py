import threading

from django.db import connection

from ekklesia_sync.delivery.worker import deliver_due
from ekklesia_sync.models import MemberSyncQueue
from suite.delivery_case import DeliveryCase
from suite.helpers import make_member


class TwoWorkers(DeliveryCase):
    def test_four_workers_send_each_event_once(self):
        receiver = self.receiver()
        for index in range(1, 41):
            make_member(index)
        failures = []

        def work():
            try:
                deliver_due()
            except Exception as error:
                failures.append(error)
            finally:
                connection.close()
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        if connection.vendor != 'sqlite':
            # SQLite may turn a second writer away; what it then leaves is taken up by the next pass.
            self.assertEqual(failures, [])
        deliver_due()
        sent = [request['json']['kennitala'] for request in receiver.requests]
        self.assertEqual(len(sent), len(set(sent)))
        self.assertEqual(MemberSyncQueue.objects.filter(sync_status='synced').count(), 40)
