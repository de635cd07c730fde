import datetime
import decimal
import re
import uuid

from django.test import TestCase, override_settings
from django.utils import timezone

from ekklesia_sync import times
from ekklesia_sync.delivery.event import make_event
from ekklesia_sync.models import MemberSyncQueue
from suite.helpers import make_client, make_member


@override_settings(USE_TZ=False, TIME_ZONE='Europe/Copenhagen')
class NaiveTimes(TestCase):
    """An old server may keep local times without an offset; the wire has one all the same."""

    def test_a_local_time_gets_its_offset(self):
        self.assertEqual(times.as_wire(datetime.datetime(2026, 7, 1, 12, 0)), '2026-07-01T10:00:00Z')
        self.assertEqual(times.as_wire(datetime.datetime(2026, 1, 1, 12, 0)), '2026-01-01T11:00:00Z')

    def test_an_hour_that_the_clock_skips_or_repeats_and_the_calendars_ends_are_times(self):
        for value, wire in (
                (datetime.datetime(2019, 10, 27, 2, 30), '2019-10-27T01:30:00Z'),
                (datetime.datetime(2019, 3, 31, 2, 30), '2019-03-31T01:30:00Z'),
                (datetime.datetime(1, 1, 1), '0001-01-01T00:00:00Z'),
                (datetime.datetime(1890, 5, 1, 12), '1890-05-01T11:10:00Z')):
            self.assertEqual(times.as_wire(value), wire)
        make_member(1, date_joined=datetime.datetime(2019, 10, 27, 2, 30))
        self.assertEqual(make_client().get('/api/members/').json()['results'][0]['date_joined'], '2019-10-27T01:30:00Z')

    def test_events_pages_and_the_queue_work(self):
        make_member(1, date_joined=timezone.now())
        event = make_event(MemberSyncQueue.objects.get(), 'default')
        self.assertTrue(re.search(rb'"occurred_at": "[^"]+Z"', event.body))
        client = make_client()
        for since, count in (('2000-01-01T00:00:00Z', 1), ('2999-01-01T00:00:00+02:00', 0)):
            self.assertEqual(client.get('/api/members/', {'modified_since': since}).json()['count'], count)
        self.assertTrue(client.get('/api/sync/status/').json()['oldest_pending'].endswith('Z'))


class Times(TestCase):
    def test_what_json_has_no_form_for_is_text(self):
        for value, wire in ((decimal.Decimal('1.50'), '1.50'), (uuid.UUID(int=1), str(uuid.UUID(int=1))),
                            (datetime.time(1, 2), '01:02:00'), (None, None), (True, True), (2, 2), ([1], [1])):
            self.assertEqual(times.as_wire(value), wire)

    def test_what_is_a_time(self):
        for text, good in (('2026-01-01T00:00:00Z', True), ('2026-01-01T00:00:00+00:00', True),
                           ('2026-01-01T00:00:00 00:00', True), ('2026-01-01T00:00:00.123456Z', True),
                           ('2026-01-01T00:00:00', False), ('2026-01-01', False), ('', False), (None, False),
                           ('2026-13-01T00:00:00Z', False), ('now', False)):
            self.assertEqual(times.try_parse(text) is not None, good, text)
