import datetime

from django.test import TestCase
from django.utils import timezone

from ekklesia_sync.models import MemberSyncQueue
from suite.helpers import forget_events, make_client, make_member


class Queue(TestCase):
    def setUp(self):
        self.client = make_client()

    def changes(self, query=''):
        answer = self.client.get('/api/sync/changes/' + query)
        self.assertEqual(answer.status_code, 200)
        self.assertEqual(answer.json()['count'], len(answer.json()['changes']))
        return answer.json()['changes']

    def mark(self, *ids):
        return self.client.post('/api/sync/mark-synced/', {'sync_ids': list(ids)}, format='json').json()

    def test_an_open_change_is_shown_whatever_its_age_and_the_oldest_comes_first(self):
        old, new = make_member(1), make_member(2)
        MemberSyncQueue.objects.filter(ssn=old.ssn).update(created_at=timezone.now() - datetime.timedelta(days=400))
        for query in ('', '?since=2999-01-01T00:00:00Z', '?since=' + timezone.now().isoformat()):
            self.assertEqual([each['ssn'] for each in self.changes(query)], [old.ssn, new.ssn])

    def test_a_since_that_cannot_be_read_is_refused(self):
        for since in ('yesterday', '2026-01-01', '2026-01-01T00:00:00'):
            self.assertEqual(self.client.get('/api/sync/changes/', {'since': since}).status_code, 400)

    def test_a_dead_letter_is_still_open_and_a_cancelled_one_is_not(self):
        make_member(1)
        MemberSyncQueue.objects.update(sync_status='failed')
        self.assertEqual(len(self.changes()), 1)
        MemberSyncQueue.objects.update(sync_status='cancelled')
        self.assertEqual(self.changes(), [])

    def test_a_change_shows_the_changed_fields_and_its_version(self):
        member = make_member(1)
        forget_events()
        member.name = 'Annað'
        member.save()
        change, = self.changes()
        self.assertEqual((change['action'], change['fields_changed'], change['origin'], change['version']),
                         ('update', {'name': 'Annað'}, 'registry', change['id']))

    def test_mark_synced_settles_exactly_what_it_names_and_can_be_repeated(self):
        for index in (1, 2, 3):
            make_member(index)
        ids = [each['id'] for each in self.changes()]
        self.assertEqual(self.mark(*ids[:2]), {'success': True, 'marked_synced': 2})
        self.assertEqual(self.mark(*ids[:2]), {'success': True, 'marked_synced': 0})
        self.assertEqual(self.mark(), {'success': True, 'marked_synced': 0})
        self.assertEqual(self.mark(999999), {'success': True, 'marked_synced': 0})
        self.assertEqual([each['id'] for each in self.changes()], ids[2:])
        self.assertIsNotNone(MemberSyncQueue.objects.get(pk=ids[0]).synced_at)

    def test_many_ids_at_once(self):
        for index in range(1, 4):
            make_member(index)
        ids = [each['id'] for each in self.changes()]
        self.assertEqual(self.mark(*(ids + list(range(10 ** 6, 10 ** 6 + 2000))))['marked_synced'], 3)

    def test_ids_that_are_none_are_refused(self):
        for ids in ('12', [True], ['1'], [1.5], [-1], [2 ** 40], None):
            answer = self.client.post('/api/sync/mark-synced/', {'sync_ids': ids}, format='json')
            self.assertEqual(answer.status_code, 400, ids)

    def test_status_counts_every_state(self):
        self.assertEqual(self.client.get('/api/sync/status/').json(),
                         {'pending': 0, 'synced': 0, 'failed': 0, 'oldest_pending': None})
        for index, status in enumerate(('pending', 'pending', 'synced', 'superseded', 'failed', 'cancelled'), 1):
            member = make_member(index)
            MemberSyncQueue.objects.filter(ssn=member.ssn).update(sync_status=status)
        answer = self.client.get('/api/sync/status/').json()
        oldest = MemberSyncQueue.objects.order_by('id')[0].created_at.isoformat().replace('+00:00', 'Z')
        self.assertEqual(answer, {'pending': 2, 'synced': 2, 'failed': 1, 'oldest_pending': oldest})
