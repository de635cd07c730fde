from unittest import skipIf

from django import VERSION
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import TestCase, TransactionTestCase
from django.utils import timezone

from ekklesia_sync.models import MemberSyncQueue
from suite.helpers import make_full_member, make_member

LIST = '/admin/ekklesia_sync/membersyncqueue/'


def make_staff(*codenames, **options):
    user = get_user_model().objects.create_user(options.get('name', 'starf'), password='x', is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return user


class Admin(TestCase):
    def test_personal_data_is_hidden_from_staff_without_the_permission(self):
        member = make_full_member(1)
        row = MemberSyncQueue.objects.latest('id')
        self.client.force_login(make_staff('change_membersyncqueue', 'view_membersyncqueue'))
        for url in (LIST, '{}{}/change/'.format(LIST, row.pk)):
            page = self.client.get(url).content.decode()
            for private in (member.ssn, 'Prófun', 'gamalt@example.is'):
                self.assertNotIn(private, page)
        self.assertNotIn('field-kennitala', page)
        self.assertIn('contact_info', page)

    def test_staff_with_the_permission_see_it_and_find_by_kennitala(self):
        member = make_full_member(1)
        row = MemberSyncQueue.objects.latest('id')
        self.client.force_login(make_staff('change_membersyncqueue', 'view_membersyncqueue', 'view_member_data'))
        self.assertContains(self.client.get('{}{}/change/'.format(LIST, row.pk)), 'gamalt@example.is')
        found = self.client.get(LIST, {'q': member.ssn[:6] + '-' + member.ssn[6:]})
        self.assertEqual(found.context['cl'].result_count, 1)

    def test_a_search_by_kennitala_finds_nothing_without_the_permission(self):
        member = make_member(1)
        self.client.force_login(make_staff('change_membersyncqueue', 'view_membersyncqueue'))
        self.assertEqual(self.client.get(LIST, {'q': member.ssn}).context['cl'].result_count, 0)

    def test_nothing_can_be_added_changed_or_deleted(self):
        make_member(1)
        row = MemberSyncQueue.objects.get()
        self.client.force_login(get_user_model().objects.create_superuser('admin', 'a@example.is', 'x'))
        self.assertEqual(self.client.get(LIST + 'add/').status_code, 403)
        self.assertEqual(self.client.post('{}{}/delete/'.format(LIST, row.pk), {'post': 'yes'}).status_code, 403)
        self.client.post('{}{}/change/'.format(LIST, row.pk), {'ssn': 'x', 'sync_status': 'synced'})
        row.refresh_from_db()
        self.assertEqual(row.sync_status, 'pending')

    def test_one_member_has_one_reference_and_filters_work(self):
        make_full_member(1)
        make_member(2)
        self.client.force_login(get_user_model().objects.create_superuser('admin', 'a@example.is', 'x'))
        page = self.client.get(LIST, {'sync_status__exact': 'pending', 'action__exact': 'create'})
        self.assertEqual(page.context['cl'].result_count, 2)


class LookingOnly(TestCase):
    """Staff who may look at the queue, and neither at members' data nor at its buttons."""

    def setUp(self):
        self.member = make_full_member(1)
        staff = make_staff('view_membersyncqueue')
        if VERSION < (2, 1):
            # Old Django has no view permission; whoever sees the list may change it.
            staff = make_staff('view_membersyncqueue', 'change_membersyncqueue', name='gamalt')
        self.client.force_login(staff)

    def test_no_lookup_reads_a_value_letter_by_letter(self):
        self.assertEqual(self.client.get(LIST).status_code, 200)
        first = self.member.ssn[0]
        for lookup, value in (
                ('ssn__startswith', first), ('ssn', self.member.ssn), ('ssn__regex', '^' + first), ('ssn__gt', '0'),
                ('ssn__in', self.member.ssn), ('fields_changed_json__contains', 'gamalt'),
                ('fields_changed_json__regex', 'g.malt'), ('fields_changed_json__isnull', '0'),
                ('webhook_id__startswith', 'm'), ('change_id__startswith', 'a'), ('django_id', self.member.pk),
                ('last_error__startswith', 'h'), ('id__gt', '0')):
            with self.subTest(lookup):
                self.assertEqual(self.client.get(LIST, {lookup: value}).status_code, 400)

    def test_the_filters_of_the_list_work(self):
        self.assertEqual(self.client.get(LIST, {
            'sync_status__exact': 'pending', 'action__exact': 'create', 'origin__exact': 'registry', 'last_error': '',
            'created_at__gte': '2000-01-01 00:00:00+00:00'}).status_code, 200)

    @skipIf(VERSION < (2, 1), 'old Django has no permission to look alone')
    def test_the_buttons_need_the_permission_to_change(self):
        ids = list(MemberSyncQueue.objects.values_list('pk', flat=True))
        before = list(MemberSyncQueue.objects.values_list('sync_status', flat=True))
        page = self.client.get(LIST).content.decode()
        for action in ('cancel', 'retry'):
            self.assertNotIn('value="{}"'.format(action), page)
            self.client.post(LIST, {'action': action, '_selected_action': ids})
        self.assertEqual(list(MemberSyncQueue.objects.values_list('sync_status', flat=True)), before)


class Actions(TransactionTestCase):
    def setUp(self):
        self.client.force_login(get_user_model().objects.create_superuser('admin', 'a@example.is', 'x'))
        for index in (1, 2, 3):
            make_member(index)
        self.rows = list(MemberSyncQueue.objects.order_by('id'))

    def act(self, action):
        ids = [row.pk for row in self.rows]
        self.client.post(LIST, {'action': action, '_selected_action': ids})
        return list(MemberSyncQueue.objects.order_by('id').values_list('sync_status', flat=True))

    def test_retry_revives_dead_letters_with_all_their_attempts_and_leaves_the_synced_alone(self):
        for row, status in zip(self.rows, ('failed', 'synced', 'cancelled')):
            MemberSyncQueue.objects.filter(pk=row.pk).update(sync_status=status, attempts=10, last_error='http_400')
        self.assertEqual(self.act('retry'), ['pending', 'synced', 'pending'])
        first = MemberSyncQueue.objects.get(pk=self.rows[0].pk)
        self.assertEqual((first.attempts, first.last_error), (0, ''))
        self.assertLessEqual(first.next_attempt_at, timezone.now())

    def test_cancel_ends_what_is_open(self):
        MemberSyncQueue.objects.filter(pk=self.rows[1].pk).update(sync_status='synced')
        MemberSyncQueue.objects.filter(pk=self.rows[2].pk).update(sync_status='failed')
        self.assertEqual(self.act('cancel'), ['cancelled', 'synced', 'cancelled'])
