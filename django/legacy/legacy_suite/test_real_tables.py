"""The companion app on tables that are shaped like the party's (settings.py shows the mapping that fits them)."""
import json

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core import serializers
from django.core.management import call_command
from django.db import IntegrityError
from django.db.models.signals import pre_save
from django.test import TestCase, TransactionTestCase, override_settings
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from ekklesia_sync.models import MemberSyncQueue
from ekklesia_sync.wire import find_member
from members import models
from members.generate import generate
from members.wire import as_member, with_related

HOUSE = {'street': 'Birkigata', 'number': 2, 'letter': '', 'postal_code': '600', 'city': 'Akureyri', 'country': 'IS',
         'is_default': True}


def events():
    return [(row.action, row.fields_changed) for row in MemberSyncQueue.objects.order_by('id')]


def forget_events():
    MemberSyncQueue.objects.all().delete()


def with_local_address(**values):
    return override_settings(EKKLESIA_SYNC=dict(
        settings.EKKLESIA_SYNC, LOCAL_ADDRESS=dict(settings.EKKLESIA_SYNC['LOCAL_ADDRESS'], **values)))


class RealTables(TestCase):
    def setUp(self):
        generate(60, 1)
        user = get_user_model().objects.create(username='sync')
        user.user_permissions.add(Permission.objects.get(codename='use_sync_api'))
        self.client = APIClient()
        self.client.credentials(HTTP_AUTHORIZATION='Token ' + Token.objects.create(user=user).key)
        self.member = models.Comrade.objects.filter(
            newlocaladdress__isnull=False, contact_info__isnull=False).order_by('pk')[0]

    def apply(self, changes):
        [result] = self.client.post('/api/sync/apply/', {'changes': [
            {'kennitala': self.member.ssn, 'changes': changes}]}, format='json').json()['results']
        return result

    def test_the_mapping_fits(self):
        call_command('check', fail_level='ERROR')

    def test_every_member_reads_as_the_old_list_has_them(self):
        results = self.client.get('/api/members/?page_size=1000').json()['results']
        old = {each.pk: as_member(each) for each in with_related(models.Comrade.objects.all())}
        self.assertEqual(len(results), len(old))
        empty = {'email': '', 'phone': '', 'foreign_phone': '', 'facebook': ''}
        for new in results:
            was = old[new['id']]
            self.assertEqual((new.pop('version'), len(new.pop('digest'))), (0, 64))
            self.assertEqual(new.pop('date_joined')[:19], was.pop('date_joined')[:19])
            new['local_address'] = new['local_address'] or {}
            was['contact_info'] = was['contact_info'] or empty
            self.assertEqual(new, was)

    def test_apply_writes_a_house_whose_country_the_mapping_names_in_either_way(self):
        for number, row_filter in enumerate((
                {'current': True, 'country': 109}, {'current': True, 'country_id': 109},
                {'current': True, 'country__name': 'Ísland'}), 1):
            with self.subTest(row_filter), with_local_address(filter=row_filter):
                result = self.apply({'profile.addresses': [dict(HOUSE, number=number)]})
                self.assertEqual((result['status'], result.get('message')), ('success', None))
                row = models.NewLocalAddress.objects.get(comrade=self.member, current=True)
                self.assertEqual((row.country_id, row.address.number), (109, number))

    def test_apply_writes_a_house_though_no_form_may_leave_the_country_empty(self):
        with with_local_address(filter={'current': True}):
            self.assertEqual(self.apply({'profile.addresses': [HOUSE]})['status'], 'success')
            self.assertEqual(find_member(self.member.ssn, 'default')['local_address']['street'], 'Birkigata')
        row = models.NewLocalAddress.objects.get(comrade=self.member, current=True)
        self.assertIsNone(row.country_id)

    def test_apply_says_so_when_the_table_wants_more_than_the_mapping_gives(self):
        def refuse(**kwargs):
            raise IntegrityError
        for row_filter, refusal in (({'country__name': 'Ekkert land'}, None), ({'current': True}, refuse)):
            if refusal:
                pre_save.connect(refusal, sender=models.NewLocalAddress)
                self.addCleanup(pre_save.disconnect, refusal, sender=models.NewLocalAddress)
            models.NewLocalAddress.objects.filter(comrade=self.member).delete()
            with with_local_address(filter=row_filter):
                self.assertEqual(self.apply({'profile.addresses': [HOUSE]})['code'], 'address_unsupported')
            self.assertFalse(models.NewLocalAddress.objects.filter(comrade=self.member).exists())

    def test_a_deleted_member_leaves_rows_without_an_owner_that_may_change(self):
        address = models.NewLocalAddress.objects.filter(comrade=self.member).get()
        ssn = self.member.ssn
        forget_events()
        self.member.delete()
        self.assertEqual(events(), [('delete', {})])
        address.refresh_from_db()
        self.assertIsNone(address.comrade_id)
        address.current = False
        address.save()
        address.address.street.name = 'Önnur gata'
        address.address.street.save()
        address.delete()
        self.assertNotIn(ssn, [row.ssn for row in MemberSyncQueue.objects.order_by('id')[1:]])
        self.assertEqual(len(self.client.get('/api/members/?page_size=1000').json()['results']), 59)

    def test_unions_and_titles_come_through_their_link_tables(self):
        models.UnionMembership.objects.filter(comrade=self.member).delete()
        models.ComradeTitle.objects.filter(comrade=self.member).delete()
        forget_events()
        union, title = models.Union.objects.order_by('pk')[0], models.Title.objects.order_by('pk')[0]
        link = models.UnionMembership.objects.create(comrade=self.member, union=union)
        models.ComradeTitle.objects.create(comrade=self.member, title=title)
        link.delete()
        self.assertEqual(events(), [('update', {'unions': [], 'titles': [{'name': title.name}]})])
        member = find_member(self.member.ssn, 'default')
        self.assertEqual((member['unions'], member['titles']), ([], [{'name': title.name}]))

    def test_a_city_is_read_through_the_table_that_links_it_to_the_postal_code(self):
        house = models.NewLocalAddress.objects.get(comrade=self.member).address
        code, place = house.street.postal_code, find_member(self.member.ssn, 'default')['local_address']['city']
        other = models.Municipality.objects.create(name='Nýja sveitarfélagið')
        forget_events()

        def shown():
            rows = MemberSyncQueue.objects.filter(ssn=self.member.ssn)
            cities = [row.fields_changed['local_address']['city'] for row in rows.order_by('id')]
            rows.delete()
            return cities, find_member(self.member.ssn, 'default')['local_address']['city']
        # A second municipality changes nothing: the first counts, as it did in the old registry.
        second = models.MunicipalityPostalCode.objects.create(postal_code=code, municipality=other)
        self.assertEqual(shown()[1], place)
        self.assertEqual(len(self.client.get('/api/members/?page_size=1000').json()['results']), 60)
        models.MunicipalityPostalCode.objects.exclude(pk=second.pk).get(postal_code=code).delete()
        self.assertEqual(shown(), ([other.name], other.name))
        other.name = 'Endurskírt'
        other.save()
        self.assertEqual(shown(), (['Endurskírt'], 'Endurskírt'))
        second.postal_code = models.PostalCode.objects.exclude(pk=code.pk)[0]
        second.save()
        self.assertEqual(shown(), ([None], None))
        models.MunicipalityPostalCode.objects.create(postal_code=code, municipality=other)
        self.assertEqual(shown(), (['Endurskírt'], 'Endurskírt'))


class Restored(TransactionTestCase):
    def test_rows_that_a_script_restores_make_their_events(self):
        generate(5, 1)
        member = models.Comrade.objects.filter(newlocaladdress__isnull=False).order_by('pk')[0]
        address = models.NewLocalAddress.objects.get(comrade=member)
        forget_events()
        address.current = False
        text = serializers.serialize('json', [address, address.address.street])
        rows = json.loads(text)
        rows[1]['fields']['name'] = 'Endurgata'
        for each in serializers.deserialize('json', json.dumps(rows)):
            each.save()
        self.assertEqual(events()[0], ('update', {'local_address': None}))
        self.assertEqual(models.Street.objects.filter(name='Endurgata').count(), 1)
