from rest_framework.authentication import TokenAuthentication, get_authorization_header
from rest_framework.permissions import BasePermission


class SyncTokenAuthentication(TokenAuthentication):
    """`Authorization: Token …`, or `Bearer …` for a client or proxy that knows only that word."""

    def authenticate(self, request):
        words = get_authorization_header(request).split()
        if words and words[0].lower() == b'bearer':
            self.keyword = 'Bearer'
        return super(SyncTokenAuthentication, self).authenticate(request)


class UseSyncApi(BasePermission):
    """The permission `ekklesia_sync.use_sync_api`, which `create_sync_token` gives to the service's user.

    A superuser has every permission by definition and is refused: a person's token must not open all members' data.
    """

    message = 'this token may not use the sync API; make one with manage.py create_sync_token'

    def has_permission(self, request, view):
        user = request.user
        return bool(
            user and user.is_authenticated and not user.is_superuser and user.has_perm('ekklesia_sync.use_sync_api'))
