import logging

from django.core.exceptions import SuspiciousOperation
from django.db import transaction
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from rest_framework.exceptions import ParseError
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import JSONParser
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import APIView, exception_handler

from ekklesia_sync.api.permissions import SyncTokenAuthentication, UseSyncApi
from ekklesia_sync.faults import fault_of

log = logging.getLogger('ekklesia_sync')

# A change's addresses are five deep.
DEEPEST = 16
TOO_DEEP = 'the JSON is nested too deeply'


class ShallowJSONParser(JSONParser):
    """JSON no deeper than the contract's: what is deeper answers 400, and can be walked without a second thought."""

    def parse(self, stream, media_type=None, parser_context=None):
        try:
            data = super(ShallowJSONParser, self).parse(stream, media_type, parser_context)
        except RecursionError:
            raise ParseError(TOO_DEEP) from None
        level = [data]
        for _ in range(DEEPEST):
            level = [each for value in level for each in _children(value)]
            if not level:
                return data
        raise ParseError(TOO_DEEP)


def _children(value):
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


@method_decorator(never_cache, name='dispatch')
class SyncView(APIView):
    """JSON in and out, for the sync service alone, whatever the project's own defaults are."""

    authentication_classes = [SyncTokenAuthentication]
    permission_classes = [UseSyncApi]
    renderer_classes = [JSONRenderer]
    parser_classes = [ShallowJSONParser]
    throttle_classes = []
    content_negotiation_class = DefaultContentNegotiation
    versioning_class = None

    @classmethod
    def as_view(cls, **initkwargs):
        # With ATOMIC_REQUESTS one bad change would roll the whole batch back, and a streamed export
        # would outlive its transaction. Each view opens the transactions that it needs.
        return transaction.non_atomic_requests(super(SyncView, cls).as_view(**initkwargs))

    def get_exception_handler(self):
        return exception_handler

    def handle_exception(self, exc):
        try:
            return super(SyncView, self).handle_exception(exc)
        except SuspiciousOperation:
            # A wrong Host, a body over the project's limit: Django answers 400.
            raise
        except Exception as problem:  # noqa: B902  Django would mail and log it with the kennitala of the path and with members' data
            log.error('%s failed: %s', type(self).__name__, fault_of(problem))
            return error(500, 'the registry failed; its log says where')

    def finalize_response(self, request, response, *args, **kwargs):
        # Django logs the path of each refusal, and the path of one call has a kennitala (from 2.1 on, the mark spares it).
        response._has_been_logged = True
        return super(SyncView, self).finalize_response(request, response, *args, **kwargs)


def error(status, message):
    return Response({'error': message}, status=status)
