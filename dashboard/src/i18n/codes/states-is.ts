import type { CodeTexts } from './kinds.ts';

export const statesIs: Pick<
  CodeTexts,
  | 'outcome'
  | 'trigger'
  | 'why'
  | 'queue'
  | 'fieldOutcome'
  | 'retry'
  | 'conflict'
  | 'keep'
  | 'reason'
  | 'sweep'
  | 'field'
> = {
  outcome: {
    published: 'birt',
    unchanged: 'óbreytt',
    blocked: 'hafnað af vörn',
    partial: 'að hluta',
    failed: 'mistókst',
    'dry-run': 'prufukeyrsla',
    skipped: 'sleppt',
    running: 'í gangi',
    success: 'lokið',
    error: 'mistókst',
  },
  trigger: {
    schedule: 'áætlun',
    http: 'manneskju',
    local: 'staðbundna kerfinu',
    event: 'atburði',
  },
  why: {
    never_run: 'hefur aldrei keyrt',
    overdue: 'er á eftir áætlun',
    last_run_failed: 'síðasta keyrsla mistókst',
    last_run_blocked: 'vörnin hafnaði síðustu keyrslu',
    last_run_partial: 'síðasta keyrsla kláraðist aðeins að hluta',
    run_crashed: 'keyrsla hrundi',
    paused: 'er í hléi',
    paused_too_long: 'hefur verið í hléi lengur en viku',
    ahead_of_registry: 'geymir félaga í nýrri útgáfu en félagaskráin',
    hints_unconfirmed: 'ábendingar félagaskrár sem engin keyrsla hefur skorið úr um í tvo daga',
    dead_letters_waiting: 'breytingar sem tókst ekki að afhenda: {count}',
    conflicts_waiting: 'árekstrar sem bíða ákvörðunar: {count}',
    queue_stuck: 'breytingar hafa beðið of lengi',
    last_sweep_failed: 'síðasta næturyfirferð gekk ekki vel',
  },
  queue: { pending: 'bíður', synced: 'afhent', failed: 'óafhent', conflict: 'í árekstri' },
  fieldOutcome: {
    synced: 'afhent',
    superseded: 'síðari breyting kom í staðinn',
    cancelled: 'félaginn tók hana til baka',
    failed: 'hætt við',
    conflict: 'í árekstri',
  },
  retry: {
    delivered: 'Félagaskráin hefur hana.',
    given_up: 'Félagaskráin hafnaði henni aftur.',
    conflict: 'Félagaskráin hefur annað gildi núna: sjá árekstra.',
    waiting: 'Félagaskráin hefur hana ekki enn. Næturyfirferðin (kl. 03:30) reynir aftur.',
    busy: 'Verið er að afhenda breytingar félagans. Skoðaðu aftur eftir nokkrar mínútur.',
  },
  conflict: { open: 'opinn', resolved: 'ákveðinn' },
  keep: { portal: 'félagavefur', registry: 'félagaskrá', value: 'annað gildi' },
  reason: {
    later: 'var síðar',
    'too-close': 'báðar innan klukkustundar',
    incomparable: 'tímana er ekki hægt að bera saman',
  },
  sweep: {
    running: 'í gangi',
    success: 'gekk vel',
    partial: 'að hluta',
    error: 'mistókst',
    unknown: 'ekki vitað',
  },
  field: {
    name: 'nafn',
    email: 'netfang',
    phone: 'sími',
    'profile.name': 'nafn',
    'profile.birthday': 'fæðingardagur',
    'profile.email': 'netfang',
    'profile.phone': 'sími',
    'profile.foreign_phone': 'sími erlendis',
    'profile.facebook': 'Facebook',
    'profile.gender': 'kyn',
    'profile.housing_situation': 'húsnæði',
    'profile.reachable': 'má hafa samband',
    'profile.groupable': 'má setja í hópa',
    'profile.addresses': 'heimilisföng',
    'membership.status': 'aðild',
    'membership.date_joined': 'dagsetning inngöngu',
    'membership.unions': 'félög',
    'membership.titles': 'titlar',
  },
};
