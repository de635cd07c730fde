import json
import tracemalloc
from unittest import mock

from django.db import connection
from django.test import TestCase, TransactionTestCase, override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from ekklesia_sync import wire
from ekklesia_sync.api.export_views import _kennitalas_json
from ekklesia_sync.models import MemberVersion
from ekklesia_sync.sections import ScalarSection
from membership import models
from membership.generate import generate
from membership.kennitalas import make_kennitala
from suite.helpers import make_client, make_full_member, make_member


def kennitalas(client):
    return json.loads(b''.join(client.get('/api/members/kennitalas/').streaming_content).decode())


class Export(TestCase):
    def setUp(self):
        self.client = make_client()

    def test_all_kennitalas_without_hyphens_and_with_placeholders(self):
        make_member(1, ssn='010100-2008')
        make_member(2, ssn='9999000001')
        answer = kennitalas(self.client)
        self.assertEqual(answer['kennitalas'], ['0101002008', '9999000001'])
        self.assertEqual(answer['count'], 2)
        self.assertRegex(answer['exported_at'], r'^\d{4}-.*Z$')

    def test_an_empty_registry_says_so(self):
        self.assertEqual({key: kennitalas(self.client)[key] for key in ('count', 'kennitalas')},
                         {'count': 0, 'kennitalas': []})

    def test_a_failure_on_the_way_is_never_a_shorter_list(self):
        generate(1500, 1)
        pieces = _kennitalas_json('default')
        text = next(pieces) + next(pieces)
        with self.assertRaises(ValueError):
            json.loads(text)

    def test_one_member_by_either_spelling_and_404(self):
        member = make_full_member(1)
        for ssn in (member.ssn, member.ssn[:6] + '-' + member.ssn[6:]):
            answer = self.client.get('/api/sync/member/{}/'.format(ssn))
            self.assertEqual((answer.status_code, answer.json()['id']), (200, member.pk))
        missing = self.client.get('/api/sync/member/{}/'.format(make_kennitala(9)))
        self.assertEqual((missing.status_code, list(missing.json())), (404, ['error']))

    def test_a_member_has_the_contracts_shape(self):
        member = make_full_member(1)
        answer = self.client.get('/api/sync/member/{}/'.format(member.ssn)).json()
        self.assertEqual(answer['version'], MemberVersion.objects.get().version)
        self.assertEqual(answer.pop('digest'), MemberVersion.objects.get().digest)
        answer.pop('version')
        joined = answer.pop('date_joined')
        self.assertRegex(joined, r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d.*Z$')
        foreign = member.foreign_addresses.get()
        self.assertEqual(answer, {
            'id': member.pk, 'ssn': member.ssn, 'name': 'Prófun Prófsdóttir', 'birthday': None, 'gender': 2,
            'housing_situation': 1, 'reachable': False, 'groupable': False,
            'contact_info': {'email': 'gamalt@example.is', 'phone': '5550001', 'foreign_phone': '', 'facebook': ''},
            'local_address': {'street': 'Reynigata', 'number': 1, 'letter': 'A', 'postal_code': 101,
                              'city': 'Reykjavík'},
            'foreign_addresses': [{'pk': foreign.pk, 'country': foreign.country_id, 'current': True,
                                   'municipality': 'Aarhus', 'postal_code': '8000', 'address': 'Testvej 1'}],
            'unions': [{'name': 'Samband prófana'}], 'titles': [{'name': 'Smiður'}],
        })

    def test_a_member_without_related_rows_says_so_explicitly(self):
        member = make_member(1)
        answer = self.client.get('/api/sync/member/{}/'.format(member.ssn)).json()
        self.assertEqual(answer['contact_info'], {'email': '', 'phone': '', 'foreign_phone': '', 'facebook': ''})
        self.assertEqual((answer['local_address'], answer['foreign_addresses'], answer['unions']), (None, [], []))

    def test_a_member_that_no_event_has_touched_has_version_zero(self):
        models.Comrade.objects.bulk_create([models.Comrade(ssn=make_kennitala(1), name='A')])
        self.assertEqual(self.client.get('/api/sync/member/{}/'.format(make_kennitala(1))).json()['version'], 0)

    @override_settings(EKKLESIA_SYNC={'MEMBER_FILTER': {'groupable': True}, 'UNIONS': None,
                                      'FIELDS': {'housing_situation': None}})
    def test_a_filter_and_a_mapping_of_the_projects_own(self):
        make_member(1)
        member = make_member(2, groupable=True)
        self.assertEqual(kennitalas(self.client)['kennitalas'], [member.ssn])
        shown = self.client.get('/api/members/').json()['results'][0]
        self.assertNotIn('unions', shown)
        self.assertNotIn('housing_situation', shown)


class WhileReading(TransactionTestCase):
    def test_a_change_during_the_reading_never_gives_old_data_a_new_version(self):
        """The change commits before or after the data is read; a new version may come with new data only."""
        member = make_member(1, name='0')
        real = ScalarSection.load
        for number, changes_first in enumerate((True, False), 1):
            def load(section, pks, using):
                if changes_first:
                    change()
                loaded = real(section, pks, using)
                if not changes_first:
                    change()
                return loaded

            def change():
                with mock.patch.object(ScalarSection, 'load', real):
                    member.name = str(number)
                    member.save()
            before = MemberVersion.objects.get().version
            with mock.patch.object(ScalarSection, 'load', load):
                shown, = wire.build_members([member.pk], 'default')
            self.assertGreater(MemberVersion.objects.get().version, before)
            self.assertEqual(shown['version'], before)
            self.assertEqual(shown['name'], str(number if changes_first else number - 1))


class Pages(TestCase):
    def setUp(self):
        self.client = make_client()

    def test_next_leads_through_all_members_in_a_stable_order(self):
        generate(23, 1)
        url, seen, previous = '/api/members/?page_size=5', [], []
        while url:
            answer = self.client.get(url).json()
            seen += [each['id'] for each in answer['results']]
            previous.append(answer['previous'])
            url = answer['next']
        self.assertEqual(seen, list(models.Comrade.objects.order_by('pk').values_list('pk', flat=True)))
        self.assertEqual(answer['count'], 23)
        self.assertIsNone(previous[0])
        self.assertIn('page=4', previous[4])

    def test_a_member_deleted_between_two_pages_hides_nobody(self):
        generate(10, 1)
        first = self.client.get('/api/members/?page_size=5').json()
        models.Comrade.objects.order_by('pk')[0].delete()
        second = self.client.get(first['next']).json()
        seen = [each['id'] for each in first['results'] + second['results']]
        self.assertTrue(set(models.Comrade.objects.values_list('pk', flat=True)) <= set(seen))

    def test_the_number_of_queries_does_not_grow_with_the_page(self):
        generate(120, 1)
        counts = []
        for size in (10, 100):
            with CaptureQueriesContext(connection) as queries:
                answer = self.client.get('/api/members/?page_size={}'.format(size)).json()
            self.assertEqual(len(answer['results']), size)
            counts.append(len(queries))
        self.assertEqual(counts[0], counts[1])
        with self.assertNumQueries(counts[0]):
            self.client.get('/api/members/?page=2&page_size=50')

    def test_page_size_is_bounded_and_bad_parameters_are_named(self):
        with override_settings(EKKLESIA_SYNC={'MAX_PAGE_SIZE': 7}):
            generate(10, 1)
            self.assertEqual(len(self.client.get('/api/members/?page_size=5000').json()['results']), 7)
        for query in ('page=0', 'page=x', 'page_size=0', 'page_size=-1', 'after=x', 'page=\u00b2', 'page_size=\u00b3',
                      'after=\u00b9', 'page=\u0661', 'after=1e3', 'modified_since=yesterday',
                      'modified_since=2026-01-01T00:00:00', 'modified_since=0001-01-01T00:00:00%2B01:00',
                      'modified_since=0001-01-01T00:00:00Z', 'modified_since=9999-12-31T23:59:59-23:59',
                      'modified_since=9999-12-31T23:59:59Z', 'modified_since=2026-02-30T00:00:00Z'):
            answer = self.client.get('/api/members/?' + query)
            self.assertEqual(answer.status_code, 400, query)
            self.assertIn(query.split('=')[0], answer.json()['error'])
        self.assertEqual(self.client.get('/api/members/?page=99').status_code, 404)

    def test_modified_since_shows_the_changed_ones_related_rows_included(self):
        generate(10, 1)
        self.assertEqual(self._since('2000-01-01T00:00:00Z'), [])
        member = models.Comrade.objects.order_by('pk')[3]
        member.contact_info.email = 'nytt@example.is'
        member.contact_info.save()
        self.assertEqual(self._since('2000-01-01T00:00:00Z'), [member.pk])
        self.assertEqual(self._since(timezone.now().isoformat()), [member.pk])
        self.assertEqual(self._since('2999-01-01T00:00:00+00:00'), [])

    def test_links_follow_the_public_address(self):
        generate(3, 1)
        with override_settings(EKKLESIA_SYNC={'PUBLIC_BASE_URL': 'https://registry.example.is/felagar/'}):
            link = self.client.get('/api/members/?page_size=1').json()['next']
        self.assertTrue(link.startswith('https://registry.example.is/felagar/api/members/?'), link)
        self.assertTrue(self.client.get('/felagar/api/members/?page_size=1').json()['next'].startswith(
            'http://testserver/felagar/api/members/?'))

    def _since(self, when):
        answer = self.client.get('/api/members/', {'modified_since': when}).json()
        return [each['id'] for each in answer['results']]


class Large(TransactionTestCase):
    def test_the_export_of_100000_members_streams_in_flat_memory(self):
        # No batch_size: one that SQLite cannot take is believed by old Django.
        for start in range(0, 100000, 2000):
            models.Comrade.objects.bulk_create(
                [models.Comrade(ssn=make_kennitala(index), name='A') for index in range(start, start + 2000)])
        pieces = _kennitalas_json('default')
        largest = total = 0
        next(pieces)
        tracemalloc.start()
        for piece in pieces:
            largest = max(largest, len(piece))
            total += len(piece)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        self.assertIn('"count": 100000}', piece)
        self.assertGreater(total, 1400000)
        self.assertLess(largest, 20000)
        # 1.4 MB of text went through; a list of the numbers alone would take 6 MB.
        self.assertLess(peak, 1500000)
