import hashlib
import json
from io import StringIO

from django.core.management import call_command
from django.db import transaction
from django.test import TestCase, TransactionTestCase, override_settings

from ekklesia_sync import bulk
from ekklesia_sync.digests import numbers_of
from ekklesia_sync.models import MemberSyncQueue, MemberVersion
from membership import models
from membership.generate import generate
from suite.contract_files import faults, read
from suite.helpers import make_client, make_full_member, make_member


def digest_apart(member):
    """Written apart from the app's code."""
    content = {key: value for key, value in member.items() if key not in ('version', 'digest')}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def sums_apart(members):
    totals = {}
    for member in members:
        if member['ssn'].startswith('9999'):
            continue
        row = numbers_of(member['ssn'], member['digest'])
        total = totals.setdefault(row['bucket'], dict(bucket=row['bucket'], count=0, a=0, b=0, ka=0, kb=0))
        total['count'] += 1
        for name in ('a', 'b', 'ka', 'kb'):
            total[name] += row[name]
    return totals


class Digests(TransactionTestCase):
    def setUp(self):
        self.client = make_client()

    def members(self, query=''):
        return self.client.get('/api/members/?page_size=1000' + query).json()['results']

    def sums(self):
        answer = self.client.get('/api/sync/digests/')
        self.assertEqual(answer.status_code, 200, answer.content)
        self.assertEqual(faults(answer.json(), 'digests.json'), [])
        self.assertEqual([row['bucket'] for row in answer.json()['buckets']], list(range(256)))
        return answer.json()

    def assert_equal_to_the_members(self):
        members = self.members()
        for member in members:
            self.assertEqual(member['digest'], digest_apart(member))
        said = {row['bucket']: row for row in self.sums()['buckets'] if row['count']}
        self.assertEqual(said, sums_apart(members))
        return members

    def test_the_vectors(self):
        vectors = read('vectors/digests.json')
        for row in vectors['members']:
            ours = dict(numbers_of(row['kennitala'], row['digest']), kennitala=row['kennitala'])
            self.assertEqual(ours, row)
        for name in ('a', 'b', 'ka', 'kb'):
            self.assertEqual(vectors['sums'][name], sum(row[name] for row in vectors['members']))

    def test_an_empty_registry_has_256_empty_buckets(self):
        self.assertEqual(self.sums(), {'scheme': 'wire/1', 'newest_version': 0, 'buckets': [
            {'bucket': bucket, 'count': 0, 'a': 0, 'b': 0, 'ka': 0, 'kb': 0} for bucket in range(256)]})

    def test_every_kind_of_change_keeps_the_sums_equal_to_the_members(self):
        one, two = make_full_member(1), make_full_member(2)
        self.assert_equal_to_the_members()
        title, street = models.Title.objects.get(), models.Street.objects.get()

        def both():
            with transaction.atomic():
                models.ContactInfo.objects.get(comrade=two).delete()
                two.reachable = not two.reachable
                two.save()

        def corrected():
            two.ssn = '0101801118'
            two.save()

        def renamed():
            street.name = 'Endurgata'
            street.save()

        def imported():
            models.Comrade.objects.bulk_create([models.Comrade(ssn='020280{}118'.format(n), name='A') for n in range(9)])
            bulk.announce_created(models.Comrade.objects.filter(ssn__startswith='020280'))
        seen = [self.sums()]
        for change in (
                renamed, both, corrected, lambda: one.titles.remove(title), imported,
                lambda: bulk.update_members(models.Comrade.objects.all(), groupable=True), one.delete):
            change()
            self.assert_equal_to_the_members()
            self.assertNotIn(self.sums(), seen)
            seen.append(self.sums())
        self.assertEqual(seen[-1]['newest_version'], MemberSyncQueue.objects.latest('id').pk)

    def test_a_change_that_is_rolled_back_leaves_the_digest(self):
        member = make_full_member(1)
        before = self.sums()
        with self.assertRaises(ZeroDivisionError), transaction.atomic():
            member.name = 'Aldrei'
            member.save()
            raise ZeroDivisionError
        self.assertEqual(self.sums(), before)

    def test_a_member_whom_the_mirrors_may_not_have_is_in_no_sum(self):
        member = make_member(1, groupable=True)
        with override_settings(EKKLESIA_SYNC={'MEMBER_FILTER': {'groupable': True}}):
            self.assertEqual(len(self.assert_equal_to_the_members()), 1)
            member.groupable = False
            member.save()
            self.assertEqual(self.assert_equal_to_the_members(), [])

    def test_members_from_before_the_installation_get_theirs_by_a_command_and_no_event(self):
        generate(700, 1, placeholders=2)
        make_member(100000)
        refused = self.client.get('/api/sync/digests/')
        self.assertEqual(refused.status_code, 409)
        self.assertIn('702 members have no digest yet: run manage.py make_member_digests', refused.json()['error'])
        for expected in ('702 digests made', '0 digests made'):
            out = StringIO()
            call_command('make_member_digests', stdout=out)
            self.assertIn(expected, out.getvalue())
        self.assertEqual(MemberSyncQueue.objects.count(), 1)
        self.assertEqual({each['version'] for each in self.assert_equal_to_the_members()},
                         {0, MemberSyncQueue.objects.get().pk})

    def test_a_silent_change_is_in_the_sums_when_enqueue_members_has_found_it(self):
        member = make_full_member(1)
        before = self.sums()
        models.Comrade.objects.update(name='Hljótt')
        self.assertEqual(self.sums(), before)
        MemberSyncQueue.objects.update(sync_status='synced')
        MemberVersion.objects.update(delivered_hash='something else')
        call_command('enqueue_members', stdout=StringIO())
        [now] = self.assert_equal_to_the_members()
        self.assertEqual((now['id'], now['name']), (member.pk, 'Hljótt'))


class Buckets(TestCase):
    def test_the_pages_of_all_buckets_are_all_members(self):
        client = make_client()
        generate(300, 1, placeholders=3)
        call_command('make_member_digests', stdout=StringIO())
        found = []
        for row in client.get('/api/sync/digests/').json()['buckets']:
            path, of_bucket = '/api/members/?page_size=2&bucket={}'.format(row['bucket']), []
            while path:
                page = client.get(path).json()
                self.assertEqual(page['count'], row['count'])
                of_bucket += page['results']
                path = page['next']
            self.assertEqual(len(of_bucket), row['count'])
            self.assertEqual({numbers_of(each['ssn'], each['digest'])['bucket'] for each in of_bucket} or {row['bucket']},
                             {row['bucket']})
            found += [each['id'] for each in of_bucket]
        self.assertEqual(sorted(found), sorted(
            models.Comrade.objects.exclude(ssn__startswith='9999').values_list('pk', flat=True)))
        for bad in ('256', '-1', 'x', '\u00b2', ''):
            self.assertEqual(client.get('/api/members/', {'bucket': bad}).status_code, 400, bad)
