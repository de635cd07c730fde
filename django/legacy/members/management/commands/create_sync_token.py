from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand
from rest_framework.authtoken.models import Token


class Command(BaseCommand):
    help = 'Prints the token of a staff user: the old API asks for no more.'

    def handle(self, *args, **options):
        user, _ = get_user_model().objects.get_or_create(username='sync', defaults={'is_staff': True})
        self.stdout.write(Token.objects.get_or_create(user=user)[0].key)
