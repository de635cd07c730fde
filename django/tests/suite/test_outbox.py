import json
import tempfile

from django.core import serializers
from django.core.management import call_command
from django.db import connection, transaction
from django.test import TransactionTestCase

from ekklesia_sync.delivery.event import make_event
from ekklesia_sync.models import MemberSyncQueue, MemberVersion
from membership import models
from membership.kennitalas import make_kennitala
from suite.helpers import events, forget_events, make_full_member, make_house, make_member


class OneTransactionEach(TransactionTestCase):
    """Every save its own transaction, as on a server without ATOMIC_REQUESTS."""

    def test_a_create_records_the_members_own_fields(self):
        member = make_member(1)
        (action, fields), = events()
        self.assertEqual(action, 'create')
        self.assertEqual(fields['ssn'], member.ssn)
        self.assertEqual(fields['gender'], 2)

    def test_an_update_records_the_changed_fields_only(self):
        member = make_member(1)
        forget_events()
        member.name = 'Annað Nafn'
        member.save()
        self.assertEqual(events(), [('update', {'name': 'Annað Nafn'})])

    def test_a_save_that_changes_nothing_on_the_wire_records_nothing(self):
        member = make_member(1)
        forget_events()
        member.internal_note = 'aðeins hér'
        member.save()
        self.assertEqual(events(), [])

    def test_the_rows_id_is_the_members_version_and_grows(self):
        member = make_member(1)
        first = MemberVersion.objects.get(ssn=member.ssn).version
        member.name = 'B'
        member.save()
        second = MemberVersion.objects.get(ssn=member.ssn).version
        self.assertGreater(second, first)
        self.assertEqual(second, MemberSyncQueue.objects.latest('id').pk)

    def test_contact_info_records_only_the_changed_keys(self):
        member = make_full_member(1)
        forget_events()
        member.contact_info.email = 'nytt@example.is'
        member.contact_info.save()
        self.assertEqual(events(), [('update', {'contact_info': {'email': 'nytt@example.is'}})])

    def test_a_deleted_contact_info_is_an_update_that_empties(self):
        member = make_full_member(1)
        forget_events()
        member.contact_info.delete()
        self.assertEqual(events(), [('update', {'contact_info': {'email': '', 'phone': ''}})])

    def test_a_moved_row_changes_both_members(self):
        one, two = make_full_member(1), make_member(2)
        forget_events()
        address = one.foreign_addresses.get()
        address.comrade = two
        address.save()
        rows = {row.ssn: row.fields_changed for row in MemberSyncQueue.objects.all()}
        self.assertEqual(rows[one.ssn], {'foreign_addresses': []})
        self.assertEqual(rows[two.ssn]['foreign_addresses'][0]['address'], 'Testvej 1')

    def test_many_to_many_changes_are_recorded_from_both_sides(self):
        one, two = make_member(1), make_member(2)
        title = models.Title.objects.create(name='Kennari')
        forget_events()
        one.titles.add(title)
        title.comrades.add(two)
        title.comrades.clear()
        one.titles.set([title])
        one.titles.remove(title)
        shown = [(row.ssn, row.fields_changed['titles']) for row in MemberSyncQueue.objects.order_by('id')]
        kennari = [{'name': 'Kennari'}]
        self.assertEqual(shown[:2], [(one.ssn, kennari), (two.ssn, kennari)])
        self.assertEqual(sorted(shown[2:4]), sorted([(one.ssn, []), (two.ssn, [])]))
        self.assertEqual(shown[4:], [(one.ssn, kennari), (one.ssn, [])])

    def test_a_many_to_many_field_may_stand_on_either_model(self):
        """Titles are declared on the title, unions on the member with a model of their own between."""
        one, two = make_member(1), make_member(2)
        union = models.Union.objects.create(name='Félag')
        forget_events()
        models.UnionMembership.objects.create(comrade=one, union=union)
        union.comrades.add(two)
        union.comrades.clear()
        shown = sorted((row.ssn, row.fields_changed['unions'] != []) for row in MemberSyncQueue.objects.all())
        self.assertEqual(shown, sorted([(one.ssn, True), (one.ssn, False), (two.ssn, True), (two.ssn, False)]))

    def test_a_union_membership_row_and_its_union_are_tracked(self):
        member = make_full_member(1)
        forget_events()
        models.UnionMembership.objects.get().delete()
        models.UnionMembership.objects.create(comrade=member, union=models.Union.objects.get())
        union = models.Union.objects.get()
        union.name = 'Nýtt nafn'
        union.save()
        union.delete()
        self.assertEqual([fields['unions'] for _, fields in events()],
                         [[], [{'name': 'Samband prófana'}], [{'name': 'Nýtt nafn'}], []])

    def test_a_renamed_street_reaches_everybody_who_lives_there_and_nobody_else(self):
        here, there = make_full_member(1), make_member(2)
        models.LocalAddress.objects.create(comrade=there, address=make_house('Birkigata'))
        forget_events()
        street = models.Street.objects.get(name='Reynigata')
        street.name = 'Nýjagata'
        street.save()
        row, = MemberSyncQueue.objects.all()
        self.assertEqual((row.ssn, row.fields_changed['local_address']['street']), (here.ssn, 'Nýjagata'))
        self.assertEqual(MemberVersion.objects.get(ssn=here.ssn).version, row.pk)

    def test_a_deleted_house_that_is_set_to_null_is_recorded(self):
        make_full_member(1)
        forget_events()
        models.Address.objects.all()[0].delete()
        self.assertEqual(events()[0][1]['local_address']['street'], None)

    def test_a_deleted_country_or_postal_code_is_recorded(self):
        make_full_member(1)
        forget_events()
        models.Country.objects.all()[0].delete()
        models.PostalCode.objects.all()[0].delete()
        (_, one), (_, two) = events()
        self.assertIsNone(one['foreign_addresses'][0]['country'])
        self.assertIsNone(two['local_address']['postal_code'])

    def test_a_deleted_street_takes_its_houses_along(self):
        make_full_member(1)
        forget_events()
        models.Street.objects.all()[0].delete()
        (_, fields), = events()
        self.assertIsNone(fields['local_address']['street'])

    def test_a_row_saved_through_its_parent_table_is_recorded(self):
        make_full_member(1)
        forget_events()
        parent = models.ComradeAddress.objects.get(localaddress__isnull=False)
        parent.current = False
        parent.save()
        self.assertEqual(events(), [('update', {'local_address': None})])

    def test_a_proxy_is_the_same_member(self):
        make_member(1)
        forget_events()
        proxy = models.ActiveComrade.objects.get()
        proxy.name = 'Umboð'
        proxy.save()
        self.assertEqual(events(), [('update', {'name': 'Umboð'})])

    def test_a_delete_with_its_cascade_is_one_row(self):
        member = make_full_member(1)
        ssn, pk = member.ssn, member.pk
        forget_events()
        models.Comrade.objects.filter(pk=pk).delete()
        row, = MemberSyncQueue.objects.all()
        self.assertEqual((row.action, row.ssn, row.django_id, row.fields_changed), ('delete', ssn, pk, {}))

    def test_a_corrected_kennitala_is_a_delete_and_a_create(self):
        member = make_member(1)
        old, new = member.ssn, make_kennitala(2)
        forget_events()
        member.ssn = new
        member.save()
        self.assertEqual([(row.action, row.ssn) for row in MemberSyncQueue.objects.order_by('id')],
                         [('delete', old), ('create', new)])
        self.assertEqual(MemberVersion.objects.get(django_id=member.pk).ssn, new)

    def test_a_hyphen_is_not_another_number(self):
        member = make_member(1)
        forget_events()
        member.ssn = member.ssn[:6] + '-' + member.ssn[6:]
        member.save()
        self.assertEqual(events(), [])
        member.name = 'Annað'
        member.save()
        row, = MemberSyncQueue.objects.all()
        self.assertEqual((row.action, row.ssn), ('update', make_kennitala(1)))

    def test_a_rolled_back_transaction_leaves_nothing(self):
        member = make_member(1)
        before = MemberVersion.objects.get().version
        forget_events()
        with self.assertRaises(ZeroDivisionError), transaction.atomic():
            member.name = 'Aldrei'
            member.save()
            raise ZeroDivisionError
        self.assertEqual(events(), [])
        self.assertEqual(MemberVersion.objects.get().version, before)
        member.name = 'Samt'
        member.save()
        self.assertEqual(events(), [('update', {'name': 'Samt'})])

    def test_a_failing_outbox_takes_the_save_back(self):
        """One transaction also without ATOMIC_REQUESTS: the member is not saved without its row."""
        member = make_member(1)
        with connection.cursor() as cursor:
            cursor.execute('ALTER TABLE ekklesia_sync_membersyncqueue RENAME TO away')
        try:
            with self.assertRaises(Exception):
                member.name = 'Hálft'
                member.save()
        finally:
            with connection.cursor() as cursor:
                cursor.execute('ALTER TABLE away RENAME TO ekklesia_sync_membersyncqueue')
        member.refresh_from_db()
        self.assertEqual(member.name, 'Prófun Prófsdóttir')

    def test_one_transaction_makes_one_row_a_member(self):
        with transaction.atomic():
            member = make_full_member(1)
            member.name = 'Lokanafn'
            member.save()
        (action, fields), = events()
        self.assertEqual((action, fields['name']), ('create', 'Lokanafn'))
        self.assertEqual(fields['contact_info']['email'], 'gamalt@example.is')
        self.assertEqual(sorted(set(fields) - {'ssn', 'name'})[:2], ['birthday', 'contact_info'])

    def test_a_savepoint_that_rolls_back_takes_only_its_own_change(self):
        member = make_full_member(1)
        forget_events()
        with transaction.atomic():
            try:
                with transaction.atomic():
                    member.name = 'Aldrei'
                    member.save()
                    raise ZeroDivisionError
            except ZeroDivisionError:
                pass
            member.refresh_from_db()
            member.reachable = True
            member.save()
        self.assertEqual(events(), [('update', {'reachable': True})])

    def test_created_and_deleted_at_once_leaves_a_delete(self):
        with transaction.atomic():
            make_full_member(1).delete()
        self.assertEqual([action for action, _ in events()], ['delete'])

    def test_deleted_and_registered_again_at_once_is_a_create(self):
        make_member(1)
        forget_events()
        with transaction.atomic():
            models.Comrade.objects.get().delete()
            again = make_member(1)
        row, = MemberSyncQueue.objects.all()
        self.assertEqual((row.action, row.django_id), ('create', again.pk))

    def test_loaddata_is_recorded_whichever_row_comes_first(self):
        make_full_member(1)
        members, contacts = list(models.Comrade.objects.all()), list(models.ContactInfo.objects.all())
        for rows in (members + contacts, contacts + members):
            data = serializers.serialize('json', rows)
            models.Comrade.objects.all().delete()
            forget_events()
            with tempfile.NamedTemporaryFile('w', suffix='.json') as file:
                file.write(data)
                file.flush()
                call_command('loaddata', file.name, verbosity=0)
            row, = MemberSyncQueue.objects.all()
            self.assertEqual(row.action, 'create')
            event = json.loads(make_event(row, 'default').body.decode('utf-8'))
            self.assertEqual(event['data']['contact_info']['email'], 'gamalt@example.is')
