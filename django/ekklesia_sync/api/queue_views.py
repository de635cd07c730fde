"""The outbox for a client that pulls: what is open, mark it synced, how it stands."""
from django.db.models import Count, Min, Q
from django.utils import timezone
from rest_framework.response import Response

from ekklesia_sync import conf
from ekklesia_sync.api.base import SyncView, error
from ekklesia_sync.models import MemberSyncQueue
from ekklesia_sync.times import as_wire, try_parse
from ekklesia_sync.tracking.members import outbox_database

IDS_AT_ONCE = 500
LARGEST_ID = 2 ** 31 - 1


class ChangesView(SyncView):
    """Everything that the portal has not acknowledged, oldest first, dead letters of the webhook included.

    `since` must be readable, but hides nothing: a change that was open before the client's last run has
    not reached the portal, whatever its age.
    """

    def get(self, request):
        since = request.query_params.get('since')
        if since and try_parse(since) is None:
            return error(400, 'since must be an ISO 8601 time with an offset')
        rows = MemberSyncQueue.objects.using(outbox_database()).filter(
            sync_status__in=MemberSyncQueue.OPEN).order_by('id')[:conf.get('CHANGES_LIMIT')]
        changes = [{
            'id': row.pk,
            'ssn': row.ssn,
            'action': row.action,
            'fields_changed': row.fields_changed,
            'created_at': as_wire(row.created_at),
            'version': row.pk,
            'origin': row.origin,
            'change_id': row.change_id or None,
        } for row in rows]
        return Response({'changes': changes, 'count': len(changes)})


class MarkSyncedView(SyncView):
    """Marks rows as synced; the answer counts those that were not so already."""

    def post(self, request):
        ids = request.data.get('sync_ids') if isinstance(request.data, dict) else None
        if not isinstance(ids, list) or not all(_is_id(each) for each in ids):
            return error(400, 'sync_ids must be a list of ids')
        rows = MemberSyncQueue.objects.using(outbox_database()).filter(sync_status__in=MemberSyncQueue.OPEN)
        marked = 0
        for start in range(0, len(ids), IDS_AT_ONCE):
            marked += rows.filter(pk__in=ids[start:start + IDS_AT_ONCE]).update(
                sync_status=MemberSyncQueue.SYNCED, synced_at=timezone.now(), last_error='')
        return Response({'success': True, 'marked_synced': marked})


class StatusView(SyncView):
    """Superseded rows count as synced: a newer row carried them."""

    def get(self, request):
        rows = MemberSyncQueue.objects.using(outbox_database()).order_by()
        counts = dict(rows.values_list('sync_status').annotate(count=Count('id')))
        oldest = rows.filter(Q(sync_status=MemberSyncQueue.PENDING)).aggregate(oldest=Min('created_at'))['oldest']
        return Response({
            'pending': counts.get(MemberSyncQueue.PENDING, 0),
            'synced': counts.get(MemberSyncQueue.SYNCED, 0) + counts.get(MemberSyncQueue.SUPERSEDED, 0),
            'failed': counts.get(MemberSyncQueue.FAILED, 0),
            'oldest_pending': as_wire(oldest),
        })


def _is_id(value):
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_ID
