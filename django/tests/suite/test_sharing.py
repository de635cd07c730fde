"""Who the mirrors may have, when that changes: soft-deleted members, and rows that share a kennitala or have none."""
from io import StringIO

from django.core.management import call_command
from django.db import transaction
from django.test import TransactionTestCase, override_settings

from ekklesia_sync import bulk
from ekklesia_sync.delivery.event import make_event
from ekklesia_sync.models import MemberSyncQueue, MemberVersion
from ekklesia_sync.tracking.lock import lock_members
from ekklesia_sync.wire import find_member
from membership import models
from membership.kennitalas import make_kennitala
from suite.helpers import events, forget_events, make_client, make_full_member, make_member

LEFT = 'left'


class Sharing(TransactionTestCase):
    def setUp(self):
        self.client = make_client()

    def streamed(self):
        return b''.join(self.client.get('/api/members/kennitalas/').streaming_content).decode()

    def assert_sums_hold(self, ssns):
        answer = self.client.get('/api/sync/digests/')
        self.assertEqual(answer.status_code, 200, answer.content)
        self.assertEqual(sum(row['count'] for row in answer.json()['buckets']), len(ssns))
        self.assertEqual(set(MemberVersion.objects.exclude(digest='').values_list('ssn', flat=True)), set(ssns))
        for version in MemberVersion.objects.exclude(digest=''):
            self.assertEqual(version.digest, find_member(version.ssn, 'default')['digest'])


@override_settings(EKKLESIA_SYNC={'MEMBER_FILTER': {'internal_note': ''}})
class SoftDeleted(Sharing):
    """The filter's column is not on the wire."""

    def setUp(self):
        super().setUp()
        self.member = make_full_member(1)
        forget_events()

    def leave(self):
        self.member.internal_note = LEFT
        self.member.save()

    def test_a_member_who_is_hidden_is_deleted_and_one_who_returns_is_created(self):
        self.leave()
        self.assertEqual(events(), [('delete', {})])
        self.assert_sums_hold([])
        forget_events()
        self.member.internal_note = ''
        self.member.save()
        [(action, fields)] = events()
        self.assertEqual((action, fields['name']), ('create', self.member.name))
        self.assert_sums_hold([self.member.ssn])

    def test_no_change_of_a_hidden_person_reaches_the_queue(self):
        self.leave()
        forget_events()
        self.member.name = 'Falin'
        self.member.save()
        self.member.contact_info.email = 'falin@example.is'
        self.member.contact_info.save()
        self.member.titles.clear()
        street = models.Street.objects.get()
        street.name = 'Felugata'
        street.save()
        bulk.announce_updated(models.Comrade.objects.all(), 'contact_info')
        bulk.announce_created(models.Comrade.objects.all())
        self.member.ssn = make_kennitala(5)
        self.member.save()
        self.member.delete()
        make_member(2, internal_note=LEFT)
        self.assertEqual(events(), [])

    def test_update_members_tells_who_leaves_and_who_returns(self):
        other = make_member(2, internal_note=LEFT)
        bulk.update_members(models.Comrade.objects.filter(pk=self.member.pk), internal_note=LEFT)
        self.assertEqual(events(), [('delete', {})])
        forget_events()
        bulk.update_members(models.Comrade.objects.filter(pk=other.pk), internal_note='')
        self.assertEqual([action for action, _ in events()], ['create'])
        self.assert_sums_hold([other.ssn])

    def test_one_who_was_hidden_unseen_is_deleted_by_the_next_change(self):
        for change in (
                lambda: self.member.save(),
                lambda: models.ContactInfo.objects.get(comrade=self.member).delete(),
                lambda: models.Comrade.objects.get(pk=self.member.pk).delete()):
            with self.subTest(), transaction.atomic():
                models.Comrade.objects.filter(pk=self.member.pk).update(internal_note=LEFT)
                self.member.refresh_from_db()
                change()
                self.assertEqual(events(), [('delete', {})])
                transaction.set_rollback(True)

    @override_settings(EKKLESIA_SYNC={'MEMBER_FILTER': {'unions__name__contains': 'a'}})
    def test_a_filter_that_leads_to_many_rows_gives_each_member_once(self):
        for name in ('Annað', 'Þriðja'):
            models.UnionMembership.objects.create(comrade=self.member, union=models.Union.objects.create(name=name))
        self.assertEqual(self.streamed().count(self.member.ssn), 1)
        page = self.client.get('/api/members/').json()
        self.assertEqual((page['count'], len(page['results'])), (1, 1))
        forget_events()
        models.UnionMembership.objects.all().delete()
        self.assertEqual(events(), [('delete', {})])


class OneNumber(Sharing):
    def setUp(self):
        super().setUp()
        self.first = make_full_member(1)
        self.ssn = self.first.ssn
        forget_events()
        self.second = make_member(ssn='{}-{}'.format(self.ssn[:6], self.ssn[6:]), name='Tvískráð')
        self.assertEqual(events(), [])

    def test_the_first_row_counts_and_the_other_one_makes_no_event(self):
        self.second.name = 'Önnur'
        self.second.save()
        models.ContactInfo.objects.create(comrade=self.second, email='onnur@example.is')
        self.second.delete()
        self.assertEqual(events(), [])
        self.assertEqual(find_member(self.ssn, 'default')['name'], self.first.name)
        self.assert_sums_hold([self.ssn])

    def test_the_other_row_takes_the_place_of_the_first(self):
        self.first.delete()
        row = MemberSyncQueue.objects.get()
        self.assertEqual((row.action, row.django_id), ('update', self.second.pk))
        self.assertEqual(make_event(row, 'default').member['name'], 'Tvískráð')
        self.assert_sums_hold([self.ssn])

    def test_a_correction_of_the_first_leaves_the_number_to_the_other(self):
        self.first.ssn = make_kennitala(9)
        self.first.save()
        self.assertEqual([action for action, _ in events()], ['update', 'create'])
        self.assert_sums_hold([self.ssn, make_kennitala(9)])

    def test_the_commands_end_and_find_nothing_to_tell_twice(self):
        MemberVersion.objects.all().delete()
        for expected in ('1 digests made', '0 digests made'):
            out = StringIO()
            call_command('make_member_digests', stdout=out)
            self.assertIn(expected, out.getvalue())
        self.assert_sums_hold([self.ssn])
        for expected in ('1 to update, 0 to delete', '0 to update, 0 to delete'):
            out = StringIO()
            call_command('enqueue_members', stdout=out)
            self.assertIn(expected, out.getvalue())
        call_command('enqueue_members', all=True, stdout=StringIO())
        self.assertEqual(set(MemberSyncQueue.objects.values_list('django_id', flat=True)), {self.first.pk})
        self.assert_sums_hold([self.ssn])


class OddNumbers(Sharing):
    def test_a_space_that_was_typed_along_hides_nobody(self):
        for index, odd in ((1, '{} '), (2, ' {}'), (3, '\u00a0{}')):
            ssn = make_kennitala(index)
            make_member(ssn=odd.format(ssn))
            row = MemberSyncQueue.objects.latest('id')
            self.assertEqual((row.ssn, row.action), (ssn, 'create'))
            self.assertIsNotNone(make_event(row, 'default').member)
            self.assertEqual(self.client.get('/api/sync/member/{}/'.format(ssn)).status_code, 200)
        models.Comrade.objects.all().delete()
        self.assertEqual([action for action, _ in events()][3:], ['delete'] * 3)

    def test_people_without_a_kennitala_are_not_one_person(self):
        one, two = make_member(ssn=''), make_member(ssn='-')
        one.name = 'Nafn'
        one.save()
        two.delete()
        self.assertEqual(events(), [])
        call_command('make_member_digests', stdout=StringIO())
        self.assert_sums_hold([])
        one.ssn = make_kennitala(1)
        one.save()
        self.assertEqual([action for action, _ in events()], ['create'])
        one.ssn = ''
        one.save()
        self.assertEqual([action for action, _ in events()], ['create', 'delete'])

    def test_a_number_that_the_outbox_has_no_room_for_does_not_stop_a_save(self):
        with transaction.atomic():
            lock_members(['0' * 21, '', make_kennitala(1)], 'default')
        self.assertEqual([row.ssn for row in MemberVersion.objects.all()], [make_kennitala(1)])
