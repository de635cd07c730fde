"""The old API. Its faults are meant: what it cannot write it answers with success."""
import datetime
import json

from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from rest_framework.authentication import TokenAuthentication
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.permissions import IsAdminUser
from rest_framework.response import Response

from members.models import Comrade, ContactInfo, MemberSyncQueue
from members.wire import as_flat_member, as_member, with_related

LARGEST_PAGE = 1000
OWN = {'profile.name': 'name', 'profile.birthday': 'birthday', 'profile.gender': 'gender',
       'profile.housing_situation': 'housing_situation', 'profile.housingSituation': 'housing_situation'}
CONTACT = {'profile.email': 'email', 'profile.phone': 'phone'}


def staff_api(method):
    def decorate(view):
        return api_view([method])(authentication_classes([TokenAuthentication])(
            permission_classes([IsAdminUser])(view)))
    return decorate


@staff_api('GET')
def kennitalas(request):
    ssns = list(Comrade.objects.order_by('ssn').values_list('ssn', flat=True))
    return Response({'count': len(ssns), 'kennitalas': ssns, 'exported_at': timezone.now().isoformat()})


@staff_api('GET')
def members(request):
    number = int(request.query_params.get('page', 1))
    size = min(int(request.query_params.get('page_size', 100)), LARGEST_PAGE)
    rows = Comrade.objects.order_by('pk')
    count, start = rows.count(), (number - 1) * size
    if start >= count and number > 1:
        return Response({'detail': 'Invalid page.'}, status=404)

    def link(page):
        return request.build_absolute_uri('?page={}&page_size={}'.format(page, size))
    return Response({
        'count': count, 'next': link(number + 1) if start + size < count else None,
        'previous': link(number - 1) if number > 1 else None,
        'results': [as_member(each) for each in with_related(rows[start:start + size])]})


@staff_api('GET')
def member(request, ssn):
    try:
        return Response(as_flat_member(Comrade.objects.get(ssn=ssn.replace('-', ''))))
    except Comrade.DoesNotExist:
        return Response({'error': 'Member not found'}, status=404)


@staff_api('GET')
def changes(request):
    rows = MemberSyncQueue.objects.filter(sync_status='pending').order_by('created_at', 'id')
    since = request.query_params.get('since')
    if since:
        at = parse_datetime(since.replace('Z', '+00:00'))
        if at is None:
            return Response({'error': 'Invalid since parameter format.'}, status=400)
        rows = rows.filter(created_at__gte=timezone.make_naive(at) if timezone.is_aware(at) else at)
    found = [{
        'id': row.pk, 'ssn': row.ssn, 'action': row.action, 'fields_changed': json.loads(row.fields_changed_json),
        'created_at': row.created_at.isoformat(),
    } for row in rows]
    return Response({'changes': found, 'count': len(found)})


@staff_api('POST')
def apply(request):
    return Response({'results': [_apply_change(change) for change in request.data.get('changes', [])]})


def _apply_change(change):
    ssn = change.get('kennitala', '').replace('-', '')
    try:
        with transaction.atomic():
            comrade = Comrade.objects.get(ssn=ssn)
            updated = []
            for path, value in change.get('changes', {}).items():
                if path in OWN:
                    setattr(comrade, OWN[path], _own_value(path, value))
                    updated.append(OWN[path])
                elif path in CONTACT and value:
                    contact, _ = ContactInfo.objects.get_or_create(comrade=comrade)
                    setattr(contact, CONTACT[path], value)
                    contact.save()
            if updated:
                comrade.save(update_fields=updated)
        return {'ssn': ssn, 'status': 'success', 'updated_fields': updated}
    except Comrade.DoesNotExist:
        return {'ssn': ssn, 'status': 'error', 'message': 'Member not found'}
    except Exception:  # noqa: B902  the old one says no more either
        return {'ssn': ssn, 'status': 'error', 'message': 'Failed to process member data'}


def _own_value(path, value):
    if path == 'profile.birthday':
        return datetime.datetime.strptime(value, '%Y-%m-%d').date() if value else None
    return value


@staff_api('POST')
def mark_synced(request):
    rows = MemberSyncQueue.objects.filter(pk__in=request.data.get('sync_ids', []), sync_status='pending')
    marked = rows.update(sync_status='synced', synced_at=timezone.now())
    return Response({'success': True, 'marked_synced': marked})


@staff_api('GET')
def status(request):
    rows = MemberSyncQueue.objects.order_by('created_at')
    oldest = rows.filter(sync_status='pending').first()
    return Response({
        'pending': rows.filter(sync_status='pending').count(), 'synced': rows.filter(sync_status='synced').count(),
        'failed': rows.filter(sync_status='failed').count(),
        'oldest_pending': oldest.created_at.isoformat() if oldest else None})
