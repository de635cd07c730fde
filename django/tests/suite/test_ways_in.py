"""Every way into a save is one transaction with its event, or is found afterwards."""
from io import StringIO
from unittest import mock

from django.core import serializers
from django.core.management import call_command
from django.contrib.auth import get_user_model
from django.test import TransactionTestCase

from ekklesia_sync.models import MemberSyncQueue, MemberVersion
from ekklesia_sync.tracking import handlers
from ekklesia_sync.wire import content_hash, find_member
from membership import models
from suite.helpers import events, forget_events, make_full_member, make_member

LINKS = models.Title.comrades.through


def as_json(*rows):
    return serializers.serialize('json', rows)


class RawSaves(TransactionTestCase):
    """As a script restores rows: each save on its own, with no transaction around it."""

    def restore(self, text):
        for each in serializers.deserialize('json', text):
            each.save()

    def test_each_row_of_a_member_makes_its_event(self):
        member = make_full_member(1)
        contact, street = member.contact_info, models.Street.objects.get()
        forget_events()
        member.name, contact.email, street.name = 'Endurheimt', 'endurheimt@example.is', 'Endurgata'
        self.restore(as_json(member, contact, street))
        shown = [fields for _, fields in events()]
        self.assertEqual(shown[0]['name'], 'Endurheimt')
        self.assertEqual([list(fields) for fields in shown[1:]], [['contact_info'], ['local_address']])
        self.assertEqual(find_member(member.ssn, 'default')['local_address']['street'], 'Endurgata')

    def test_a_row_whose_event_cannot_be_written_is_not_written_either(self):
        make_full_member(1)
        street = models.Street.objects.get()
        street.name = 'Endurgata'
        text = as_json(street)
        with mock.patch.object(handlers, 'record_section_for', side_effect=ZeroDivisionError):
            with self.assertRaises(ZeroDivisionError):
                self.restore(text)
        self.assertEqual(models.Street.objects.get().name, 'Reynigata')

    def test_a_model_that_nobody_watches_is_saved_as_ever(self):
        user = get_user_model().objects.create(username='a')
        user.username = 'b'
        self.restore(as_json(user))
        self.assertEqual(get_user_model().objects.get().username, 'b')
        self.assertEqual(events(), [])


class AutomaticTables(TransactionTestCase):
    """Rows of the table that Django makes for a many-to-many field: it sends no signal for them."""

    def setUp(self):
        self.member = make_member(1)
        self.title = models.Title.objects.create(name='Smiður')
        forget_events()

    def test_a_row_that_is_created_moved_and_deleted_makes_an_event_each_time(self):
        other = make_member(2)
        forget_events()
        row = LINKS.objects.create(comrade_id=self.member.pk, title_id=self.title.pk)
        row.comrade_id = other.pk
        row.save()
        row.delete()
        shown = [(each.ssn, each.fields_changed['titles'] != []) for each in MemberSyncQueue.objects.order_by('id')]
        self.assertEqual(shown[0], (self.member.ssn, True))
        self.assertEqual(sorted(shown[1:3]), sorted([(self.member.ssn, False), (other.ssn, True)]))
        self.assertEqual(shown[3:], [(other.ssn, False)])

    def test_an_inline_of_the_admin_makes_an_event(self):
        self.client.force_login(get_user_model().objects.create_superuser('admin', 'a@example.is', 'x'))
        url = '/admin/membership/title/{}/change/'.format(self.title.pk)
        form = {'name': 'Smiður', 'Title_comrades-TOTAL_FORMS': 1, 'Title_comrades-INITIAL_FORMS': 0,
                'Title_comrades-0-comrade': self.member.pk, 'Title_comrades-0-title': self.title.pk}
        self.assertEqual(self.client.post(url, form).status_code, 302)
        row = LINKS.objects.get()
        form.update({'Title_comrades-INITIAL_FORMS': 1, 'Title_comrades-0-id': row.pk,
                     'Title_comrades-0-DELETE': 'on'})
        self.assertEqual(self.client.post(url, form).status_code, 302)
        self.assertEqual([fields for _, fields in events()], [{'titles': [{'name': 'Smiður'}]}, {'titles': []}])

    def test_what_a_queryset_writes_is_found_by_enqueue_members(self):
        def deliver():
            MemberSyncQueue.objects.update(sync_status='synced')
            MemberVersion.objects.filter(ssn=self.member.ssn).update(
                delivered_hash=content_hash(find_member(self.member.ssn, 'default')))

        def found():
            out = StringIO()
            call_command('enqueue_members', stdout=out)
            return out.getvalue()
        deliver()
        LINKS.objects.bulk_create([LINKS(comrade_id=self.member.pk, title_id=self.title.pk)])
        self.assertEqual(events(), [])
        self.assertIn('1 to update', found())
        deliver()
        LINKS.objects.all().delete()
        self.assertIn('1 to update', found())
