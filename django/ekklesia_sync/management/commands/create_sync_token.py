from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.management.base import BaseCommand
from rest_framework.authtoken.models import Token


class Command(BaseCommand):
    help = ('Makes the sync service\'s user, gives it the one permission that it needs, and prints its token. '
            'The token is a secret: put it into Secret Manager and nowhere else.')

    def add_arguments(self, parser):
        parser.add_argument('--username', default='ekklesia-sync')
        parser.add_argument('--rotate', action='store_true', help='replace the token; the old one stops working')

    def handle(self, *args, **options):
        users = get_user_model()
        name = users.USERNAME_FIELD
        user, created = users._default_manager.get_or_create(**{name: options['username']})
        if created:
            user.set_unusable_password()
            user.save()
        user.user_permissions.add(Permission.objects.get(
            content_type__app_label='ekklesia_sync', codename='use_sync_api'))
        if options['rotate']:
            Token.objects.filter(user=user).delete()
        token, _ = Token.objects.get_or_create(user=user)
        self.stdout.write(token.key)
