from django.db import transaction
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from rest_framework.parsers import JSONParser
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import APIView

from ekklesia_sync.api.permissions import SyncTokenAuthentication, UseSyncApi


@method_decorator(never_cache, name='dispatch')
class SyncView(APIView):
    """JSON in and out, for the sync service alone, whatever the project's own defaults are."""

    authentication_classes = [SyncTokenAuthentication]
    permission_classes = [UseSyncApi]
    renderer_classes = [JSONRenderer]
    parser_classes = [JSONParser]
    throttle_classes = []

    @classmethod
    def as_view(cls, **initkwargs):
        # With ATOMIC_REQUESTS one bad change would roll the whole batch back, and a streamed export
        # would outlive its transaction. Each view opens the transactions that it needs.
        return transaction.non_atomic_requests(super(SyncView, cls).as_view(**initkwargs))


def error(status, message):
    return Response({'error': message}, status=status)
