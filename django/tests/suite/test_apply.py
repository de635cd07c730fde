from unittest import mock

from django.db import OperationalError
from django.db.models.signals import pre_save
from django.test import TestCase, TransactionTestCase, override_settings

from ekklesia_sync.models import AppliedChange, MemberSyncQueue, MemberVersion
from membership import models
from membership.kennitalas import make_kennitala
from suite.helpers import events, forget_events, make_client, make_full_member, make_house, make_member


class ApplyCase(TestCase):
    def setUp(self):
        self.client = make_client()

    def apply(self, *changes):
        answer = self.client.post('/api/sync/apply/', {'changes': list(changes)}, format='json')
        self.assertEqual(answer.status_code, 200, answer.content)
        return answer.json()['results']

    def change(self, member, changes, **more):
        return dict({'kennitala': member.ssn, 'action': 'update', 'changes': changes}, **more)


class Once(ApplyCase):
    def test_a_repeat_gets_the_first_answer_and_writes_nothing(self):
        member = make_full_member(1)
        change = self.change(member, {'profile.email': 'nytt@example.is'}, change_id='a',
                             expected={'profile.email': 'gamalt@example.is'})
        first = self.apply(change)
        models.ContactInfo.objects.update(email='enn.nyrra@example.is')
        forget_events()
        self.assertEqual(self.apply(change), first)
        self.assertEqual(events(), [])
        self.assertEqual(models.ContactInfo.objects.get().email, 'enn.nyrra@example.is')

    def test_another_change_under_the_same_id_is_refused(self):
        member = make_full_member(1)
        self.apply(self.change(member, {'profile.email': 'a@example.is'}, change_id='a'))
        result, = self.apply(self.change(member, {'profile.email': 'b@example.is'}, change_id='a'))
        self.assertEqual((result['status'], result['code']), ('error', 'change_id_reused'))
        self.assertEqual(models.ContactInfo.objects.get().email, 'a@example.is')

    def test_a_conflict_is_repeated_and_judged_anew_with_other_expected_values(self):
        member = make_full_member(1)
        change = self.change(member, {'profile.email': 'n@example.is'}, change_id='a',
                             expected={'profile.email': 'x@example.is'})
        first, = self.apply(change)
        self.assertEqual(first['status'], 'conflict')
        self.assertEqual(self.apply(change), [first])
        result, = self.apply(dict(change, expected={'profile.email': 'gamalt@example.is'}))
        self.assertEqual(result['status'], 'success')

    def test_an_error_is_not_remembered(self):
        ssn = make_kennitala(1)
        change = {'kennitala': ssn, 'changes': {'profile.email': 'a@example.is'}, 'change_id': 'a'}
        self.assertEqual(self.apply(change)[0]['code'], 'unknown_member')
        make_member(1)
        self.assertEqual(self.apply(change)[0]['status'], 'success')

    def test_the_remembered_request_holds_no_values(self):
        member = make_full_member(1)
        self.apply(self.change(member, {'profile.email': 'leynd@example.is'}, change_id='a'))
        row = AppliedChange.objects.get()
        self.assertNotIn('leynd', row.answer_json + row.request_hash)


class Writing(ApplyCase):
    def test_one_bad_change_does_not_hold_up_the_others(self):
        one, two, three = (make_full_member(index) for index in (1, 2, 3))
        results = self.apply(
            self.change(one, {'profile.email': 'a@example.is'}),
            self.change(two, {'profile.email': 'b@example.is', 'profile.phone': 'x'}),
            'ekki breyting', {'kennitala': 5}, {},
            self.change(three, {'profile.email': 'c@example.is'}))
        self.assertEqual([each['status'] for each in results], ['success'] + ['error'] * 4 + ['success'])
        self.assertEqual(sorted(models.ContactInfo.objects.values_list('email', flat=True)),
                         ['a@example.is', 'c@example.is', 'gamalt@example.is'])

    def test_a_change_that_fails_half_way_writes_nothing(self):
        member = make_full_member(1)
        forget_events()

        def refuse(sender, **kwargs):
            raise RuntimeError('the registry\'s own rule, with personal data in its text')
        pre_save.connect(refuse, sender=models.ContactInfo)
        try:
            with self.assertLogs('ekklesia_sync', 'ERROR') as logs:
                result, = self.apply(self.change(
                    member, {'profile.reachable': True, 'profile.email': 'a@example.is'}))
        finally:
            pre_save.disconnect(refuse, sender=models.ContactInfo)
        self.assertEqual((result['status'], result['code']), ('error', 'internal'))
        self.assertNotIn('personal', ' '.join(logs.output) + str(result))
        self.assertFalse(models.Comrade.objects.get().reachable)
        self.assertEqual(events(), [])

    def test_old_faults_elsewhere_do_not_keep_a_member_from_an_edit(self):
        member = make_full_member(1, name='')
        models.ContactInfo.objects.update(phone='ógilt númer')
        result, = self.apply(self.change(member, {'profile.email': 'a@example.is', 'profile.reachable': True}))
        self.assertEqual(result['status'], 'success')

    def test_a_member_without_contact_info_gets_a_row(self):
        member = make_member(1)
        self.apply(self.change(member, {'profile.phone': '5551234'}))
        self.assertEqual(models.ContactInfo.objects.get(comrade=member).phone, '5551234')

    def test_the_answer_names_the_version_of_its_own_event(self):
        member = make_full_member(1)
        forget_events()
        result, = self.apply(self.change(member, {'profile.email': 'a@example.is'}, change_id='c-1'))
        row, = MemberSyncQueue.objects.all()
        self.assertEqual((row.origin, row.change_id, row.pk), ('two-way', 'c-1', result['version']))
        self.assertEqual(row.fields_changed, {'contact_info': {'email': 'a@example.is'}})

    def test_a_value_that_is_there_already_makes_no_event(self):
        member = make_full_member(1)
        version = MemberVersion.objects.get().version
        forget_events()
        result, = self.apply(self.change(member, {'profile.email': 'gamalt@example.is'},
                                         expected={'profile.email': 'annad@example.is'}))
        self.assertEqual((result['status'], result['updated_fields'], result['version']), ('success', [], version))
        self.assertEqual(events(), [])

    def test_the_registrys_own_edit_after_it_is_not_marked(self):
        member = make_full_member(1)
        self.apply(self.change(member, {'profile.email': 'a@example.is'}, change_id='c-1'))
        member.refresh_from_db()
        member.name = 'Annað'
        forget_events()
        member.save()
        self.assertEqual(MemberSyncQueue.objects.latest('id').fields_changed, {'name': 'Annað'})

    def test_a_conflict_tells_when_the_registry_changed_that_value(self):
        member = make_full_member(1)
        contact = models.ContactInfo.objects.get()
        contact.email = 'annad@example.is'
        contact.save()
        changed_at = MemberSyncQueue.objects.latest('id').created_at
        result, = self.apply(self.change(member, {'profile.email': 'n@example.is'},
                                         expected={'profile.email': 'gamalt@example.is'}))
        self.assertEqual(result['current'], {'profile.email': 'annad@example.is'})
        self.assertEqual(result['changed_at'], changed_at.isoformat().replace('+00:00', 'Z'))

    def test_errors_never_repeat_a_value(self):
        member = make_full_member(1)
        for path, value in (('profile.email', 'leynd gildi'), ('profile.phone', 'leynd gildi'),
                            ('profile.facebook', 'leynd gildi' * 40), ('profile.addresses', [{'street': 'leynd'}])):
            result, = self.apply(self.change(member, {path: value}))
            self.assertEqual(result['status'], 'error')
            self.assertNotIn('leynd', str(result))


class Addresses(ApplyCase):
    HOME = {'street': 'reynigata ', 'number': 1, 'letter': 'a', 'postal_code': '101', 'city': 'Reykjavik',
            'country': 'IS', 'is_default': True}

    def foreign(self, street, country, default=False):
        return {'street': street, 'number': None, 'letter': '', 'postal_code': '8000', 'city': 'Aarhus',
                'country': str(country.pk), 'is_default': default}

    def test_case_spaces_and_the_citys_spelling_are_no_difference(self):
        member = make_full_member(1)
        member.foreign_addresses.all().delete()
        result, = self.apply(self.change(member, {'profile.addresses': [self.HOME]}))
        self.assertEqual((result['status'], result['updated_fields']), ('success', []))

    def test_a_move_keeps_the_old_address_as_a_former_one(self):
        member = make_full_member(1)
        make_house('Birkigata', letter='')
        country = models.Country.objects.get()
        wanted = [dict(self.HOME, street='Birkigata', letter=''), self.foreign('Testvej 1', country)]
        result, = self.apply(self.change(member, {'profile.addresses': wanted}))
        self.assertEqual(result['status'], 'success', result)
        rows = member.local_addresses.order_by('pk').values_list('address__street__name', 'current')
        self.assertEqual(list(rows), [('Reynigata', False), ('Birkigata', True)])
        self.assertEqual(member.foreign_addresses.count(), 1)

    def test_foreign_addresses_come_and_go(self):
        member = make_full_member(1)
        country = models.Country.objects.get()
        wanted = [self.HOME, self.foreign('Nyvej 2', country)]
        self.assertEqual(self.apply(self.change(member, {'profile.addresses': wanted}))[0]['status'], 'success')
        rows = member.foreign_addresses.order_by('pk').values_list('address', 'current')
        self.assertEqual(list(rows), [('Testvej 1', False), ('Nyvej 2', True)])

    def test_the_list_that_was_written_is_the_list_that_is_shown(self):
        member = make_full_member(1)
        country = models.Country.objects.get()
        lists = [
            [self.foreign('B', country, True), self.foreign('A', country)],
            [self.foreign('A', country, True), self.foreign('B', country)],
            [self.foreign('A', country), self.foreign('B', country, True), self.foreign('C', country)],
            [self.foreign('C', country, True)], [self.HOME, self.foreign('C', country)], [self.HOME], [],
        ]
        for wanted in lists:
            self.assertEqual(self.apply(self.change(member, {'profile.addresses': wanted}))[0]['status'], 'success')
            again, = self.apply(self.change(member, {'profile.addresses': wanted}))
            self.assertEqual((again['status'], again['updated_fields']), ('success', []), wanted)

    def test_an_unknown_country_is_refused(self):
        member = make_full_member(1)
        for code in ('99', 'DK', '1 OR 1=1'):
            wanted = [dict(self.foreign('A', models.Country.objects.get(), True), country=code)]
            self.assertEqual(self.apply(self.change(member, {'profile.addresses': wanted}))[0]['code'],
                             'unknown_address')

    @override_settings(EKKLESIA_SYNC={'ADDRESS_WRITER': 'suite.test_apply.own_writer'})
    def test_a_registry_may_bring_its_own_writer(self):
        member = make_full_member(1)
        result, = self.apply(self.change(member, {'profile.addresses': []}))
        self.assertEqual(result['status'], 'success')
        self.assertEqual(models.Comrade.objects.get().internal_note, '0 heimilisföng')


def own_writer(member_pk, member, addresses, using):
    models.Comrade.objects.using(using).filter(pk=member_pk).update(
        internal_note='{} heimilisföng'.format(len(addresses)))


class Creating(ApplyCase):
    NEW = {'profile.name': 'Nýr Félagi', 'profile.birthday': '1800-01-02', 'profile.gender': 'other',
           'profile.email': 'nyr@example.is', 'profile.reachable': True}

    @override_settings(EKKLESIA_SYNC={'ALLOW_CREATE': True})
    def test_a_registration_becomes_a_member(self):
        ssn = make_kennitala(5)
        result, = self.apply({'kennitala': ssn, 'action': 'create', 'change_id': 'r', 'changes': self.NEW})
        self.assertEqual(result['status'], 'success', result)
        member = models.Comrade.objects.get(ssn=ssn)
        self.assertEqual((member.gender, member.reachable, member.groupable), (3, True, False))
        self.assertEqual(member.contact_info.email, 'nyr@example.is')
        row, = MemberSyncQueue.objects.all()
        self.assertEqual((row.action, row.origin, row.pk), ('create', 'two-way', result['version']))
        again, = self.apply({'kennitala': ssn, 'action': 'create', 'change_id': 's', 'changes': self.NEW})
        self.assertEqual(again['code'], 'already_exists')

    @override_settings(EKKLESIA_SYNC={'ALLOW_CREATE': True})
    def test_a_registration_that_is_not_valid_leaves_nothing(self):
        for changes in ({'profile.name': ''}, dict(self.NEW, **{'profile.gender': 'x'}),
                        dict(self.NEW, **{'profile.email': 'x'}), dict(self.NEW, **{'profile.birthday': '1.1.1800'}),
                        dict(self.NEW, **{'membership.status': 'active'})):
            result, = self.apply({'kennitala': make_kennitala(5), 'action': 'create', 'changes': changes})
            self.assertEqual(result['status'], 'error', changes)
        self.assertEqual(models.Comrade.objects.count(), 0)


class Requests(TransactionTestCase):
    def test_too_many_changes_are_refused(self):
        with override_settings(EKKLESIA_SYNC={'MAX_CHANGES_PER_REQUEST': 2}):
            answer = make_client().post('/api/sync/apply/', {'changes': [{}, {}, {}]}, format='json')
        self.assertEqual(answer.status_code, 413)

    def test_a_busy_database_asks_for_a_repeat_and_what_was_applied_stays(self):
        from ekklesia_sync.api import apply_view
        client, member = make_client(), make_full_member(1)
        changes = [{'kennitala': member.ssn, 'change_id': str(number), 'changes': {'profile.facebook': str(number)}}
                   for number in range(2)]
        real = apply_view.apply_change

        def deadlock(change):
            if change['change_id'] == '1':
                raise OperationalError('deadlock detected')
            return real(change)
        with mock.patch.object(apply_view, 'apply_change', deadlock):
            answer = client.post('/api/sync/apply/', {'changes': changes}, format='json')
        self.assertEqual((answer.status_code, answer['Retry-After']), (503, '5'))
        results = client.post('/api/sync/apply/', {'changes': changes}, format='json').json()['results']
        self.assertEqual([each['status'] for each in results], ['success', 'success'])
        self.assertEqual(MemberSyncQueue.objects.filter(origin='two-way').count(), 2)
