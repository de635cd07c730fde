from django.db import InterfaceError, OperationalError
from rest_framework.response import Response

from ekklesia_sync import conf
from ekklesia_sync.api.base import SyncView, error
from ekklesia_sync.apply.change import apply_change


class ApplyView(SyncView):
    """Applies the portal's changes, each in its own transaction; one result a change, in order."""

    def post(self, request):
        changes = request.data.get('changes') if isinstance(request.data, dict) else None
        if not isinstance(changes, list):
            return error(400, 'changes must be a list')
        limit = conf.get('MAX_CHANGES_PER_REQUEST')
        if len(changes) > limit:
            return error(413, 'at most {} changes a request'.format(limit))
        try:
            return Response({'results': [apply_change(change) for change in changes]})
        except (OperationalError, InterfaceError):
            # A deadlock or a database that restarts says nothing about the change. What was applied
            # before it stays; the repeat gets those answers again by their change_id.
            answer = error(503, 'the registry\'s database is busy')
            answer['Retry-After'] = '5'
            return answer
