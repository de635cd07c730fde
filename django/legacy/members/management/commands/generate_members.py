from django.core.management.base import BaseCommand
from django.db import transaction

from members.generate import generate
from members.models import Comrade


class Command(BaseCommand):
    help = 'Fills the old test registry with generated members, never real ones. Once, into an empty one.'

    def add_arguments(self, parser):
        parser.add_argument('--count', type=int, default=2216)
        parser.add_argument('--seed', type=int, default=1)
        parser.add_argument('--placeholders', type=int, default=3, help='rows that mark duplicates and are no members')

    def handle(self, *args, **options):
        with transaction.atomic():
            generate(options['count'], options['seed'], options['placeholders'])
        self.stdout.write('{} rows'.format(Comrade.objects.count()))
