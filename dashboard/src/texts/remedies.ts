import type { ErrorCode } from '../../../functions/src/lib/errors.ts';

/** What happened and what to do about it, in both languages. Markdown: `code`, **bold** and links. */
export interface Remedy {
  readonly en: string;
  readonly is: string;
}

/**
 * The one source of remedies. The page shows them where a code stands; the runbook's section of each code is its English
 * text, word for word, which a test holds.
 */
export const REMEDIES: Readonly<Record<ErrorCode, Remedy>> = {
  registry_unreachable: {
    en: 'No connection: refused, DNS, TLS, or broken off in the middle. Tried again until the time was up. **Remedy**: is the registry up (`curl -sI $DJANGO_BASE_URL`), has its certificate expired, or has a firewall changed?',
    is: 'Engin tenging náðist: hafnað, DNS, TLS, eða hún slitnaði. Reynt var þar til tíminn var búinn. **Ráð**: Er félagaskráin uppi, er vottorð hennar útrunnið eða breyttist eldveggur?',
  },
  registry_timeout: {
    en: 'The registry answered too slowly: 30 s for a request, 80 s for a whole fetch. **Remedy**: its own log and load. `REGISTRY_REQUEST_TIMEOUT_SECONDS` and `REGISTRY_FETCH_TIMEOUT_SECONDS` can be raised, to 90 s in all.',
    is: 'Félagaskráin svaraði of seint: 30 s fyrir beiðni, 80 s fyrir allan lestur. **Ráð**: Skoðið atburðaskrá hennar og álag. Hækka má `REGISTRY_REQUEST_TIMEOUT_SECONDS` og `REGISTRY_FETCH_TIMEOUT_SECONDS`, samtals í 90 s.',
  },
  registry_unauthorized: {
    en: '401 or 403, after the token had been read again. **Remedy**: store a valid token ([Secrets](#secrets)); check that its user still has the right `use_sync_api`, and `DJANGO_AUTH_SCHEME`.',
    is: '401 eða 403, eftir að lykillinn var lesinn aftur. **Ráð**: Vistið gildan lykil í `django-api-token`. Hefur notandi hans enn réttinn `use_sync_api`? Er `DJANGO_AUTH_SCHEME` rétt?',
  },
  registry_rejected: {
    en: '404, another 4xx, or a redirect (to a login page, to another address, from https to http). **Remedy**: `DJANGO_BASE_URL` with its path; is the companion app installed and its URLs included?',
    is: '404, annað 4xx-svar eða áframsending (á innskráningu, annað heimilisfang, úr https í http). **Ráð**: Athugið `DJANGO_BASE_URL` og slóðina. Er fylgiforritið uppsett í félagaskránni?',
  },
  registry_unavailable: {
    en: "429 or 5xx until the time was up. **Remedy**: the registry's own error log.",
    is: '429 eða 5xx þar til tíminn var búinn. **Ráð**: Skoðið villuskrá félagaskrárinnar sjálfrar.',
  },
  registry_invalid_response: {
    en: 'What came is not the agreed format; the message names the first wrong field. HTML usually is a login or error page. **Remedy**: a changed registry, or a proxy in between.',
    is: 'Svarið er ekki á umsömdu sniði; kóðinn í atburðaskrá nefnir fyrsta ranga reitinn. HTML er oftast innskráningar- eða villusíða. **Ráð**: Breyttist félagaskráin, eða er milliþjónn á leiðinni?',
  },
  registry_too_large: {
    en: 'More than `REGISTRY_MAX_ANSWER_MIB`. **Remedy**: no member list is that large. Look at what the registry serves.',
    is: 'Svarið er stærra en `REGISTRY_MAX_ANSWER_MIB`. **Ráð**: Enginn félagalisti er svo stór. Skoðið hvað félagaskráin sendir.',
  },
  empty_export: {
    en: "The export holds no member. Nothing was changed. **Remedy**: look at the registry's export, not at this project.",
    is: 'Enginn félagi er í útflutningnum. Engu var breytt. **Ráð**: Skoðið útflutning félagaskrárinnar, ekki þetta kerfi.',
  },
  incomplete_export: {
    en: 'The registry counts more members than it sent. Nothing was changed. **Remedy**: run again; if it stays, the export query of the registry is wrong.',
    is: 'Félagaskráin telur fleiri félaga en hún sendi. Engu var breytt. **Ráð**: Keyrið aftur. Ef þetta endurtekur sig er fyrirspurn útflutningsins röng.',
  },
  member_invalid: {
    en: "One member cannot be read; the message names the field. A webhook answers 400 and the registry's queue shows the event; a reconcile leaves that member alone and counts it. **Remedy**: mend the member in the registry.",
    is: 'Einn félagi er ólæsilegur. Félaginn stendur óbreyttur í speglunum og er talinn. **Ráð**: Lagið félagann í félagaskránni.',
  },
  guard_tripped: {
    en: 'The plan would remove, add, change or blank too much, or too many entries cannot be read. Nothing was changed, and it is not tried again by itself. **Remedy**: look at who would be removed, first by age, area and year of joining, then by name. If it is right, approve exactly this plan; if not, pause the mirror, mend the registry, and [plan again](#dry-run-and-approval).',
    is: 'Áætlunin myndi fjarlægja, bæta við, breyta eða tæma of mikið, eða of margar færslur eru ólæsilegar. Engu var breytt og ekki er reynt aftur af sjálfu sér. **Ráð**: Skoðið hverjir yrðu fjarlægðir, fyrst eftir aldri, svæði og inngönguári og síðan með nöfnum. Sé það rétt, samþykkið nákvæmlega þessa áætlun; annars skal gera hlé á speglinum, laga félagaskrána og gera nýja áætlun.',
  },
  plan_changed: {
    en: 'What was approved is no longer what would happen. **Remedy**: a new dry run; look again.',
    is: 'Það sem var samþykkt er ekki lengur það sem myndi gerast: félagaskráin eða spegillinn breyttist. **Ráð**: Gerið nýja áætlun og skoðið hana aftur.',
  },
  second_person_needed: {
    en: 'Two persons decide here (`APPROVAL_NEEDS_SECOND_PERSON`): whoever first asked for a plan may not approve it, and who is not known may not either. Nothing was changed. **Remedy**: let another administrator approve the plan, signed in as themselves; of the plan of a scheduled run, one person makes a dry run first.',
    is: 'Hér ákveða tveir (`APPROVAL_NEEDS_SECOND_PERSON`): sá sem fyrst bað um áætlun má ekki samþykkja hana og ekki heldur sá sem ekki er vitað hver er. Engu var breytt. **Ráð**: Látið annan stjórnanda samþykkja áætlunina, innskráðan sem hann sjálfan; sé hún úr tímasettri keyrslu gerir annar fyrst áætlun.',
  },
  storage_conflict: {
    en: 'Somebody else wrote the file between reading and writing, twice. **Remedy**: find out who writes `kennitalas.txt`; only these functions should.',
    is: 'Einhver annar skrifaði skrána á milli lestrar og skrifa, tvisvar. **Ráð**: Finnið hver skrifar `kennitalas.txt`; aðeins þetta kerfi á að gera það.',
  },
  storage_unavailable: {
    en: 'Cloud Storage did not answer. Tried again. **Remedy**: <https://status.cloud.google.com>; the next run heals it.',
    is: 'Cloud Storage svaraði ekki. Reynt var aftur. **Ráð**: Sjá <https://status.cloud.google.com>; næsta keyrsla lagar þetta.',
  },
  storage_rejected: {
    en: 'Cloud Storage refused: no bucket, no rights, or the upload was damaged on its way. **Remedy**: `SYNC_BUCKET`, and `roles/storage.objectUser` of the service account.',
    is: 'Cloud Storage hafnaði: engin fata, engin réttindi, eða sendingin skemmdist. **Ráð**: Athugið `SYNC_BUCKET` og hlutverkið `roles/storage.objectUser`.',
  },
  audit_unavailable: {
    en: "Firestore did not take the run's record. At the start, nothing was written; at the end, what was done stands, and the next run closes the open record. **Remedy**: Firestore's state and `roles/datastore.user`.",
    is: 'Firestore tók ekki við skráningu keyrslunnar. Í upphafi: ekkert var skrifað. Í lokin: það sem var gert stendur og næsta keyrsla lokar skráningunni. **Ráð**: Athugið stöðu Firestore og hlutverkið `roles/datastore.user`.',
  },
  store_unavailable: {
    en: 'Firestore did not take a change of a member. The webhook answered 503, and the registry tries again. **Remedy**: as above. Nothing is lost.',
    is: 'Firestore tók ekki við breytingu félaga. Vefkrókurinn svaraði 503 og félagaskráin reynir aftur. **Ráð**: Eins og hér að ofan. Ekkert glatast.',
  },
  database_unavailable: {
    en: 'PostgreSQL did not answer, lost the connection, or has no connection left. Tried again. **Remedy**: Cloud SQL\'s state; `docs/deploy.md`, "Troubles".',
    is: 'PostgreSQL svaraði ekki, missti tenginguna eða átti enga lausa. Reynt var aftur. **Ráð**: Skoðið stöðu Cloud SQL.',
  },
  database_rejected: {
    en: 'PostgreSQL refused: no rights, read-only, or a fault in a statement. Nothing was changed. **Remedy**: the roles in `docs/deploy.md`.',
    is: 'PostgreSQL hafnaði: engin réttindi, aðeins lesaðgangur eða villa í skipun. Engu var breytt. **Ráð**: Athugið hlutverkin í gagnagrunninum.',
  },
  schema_outdated: {
    en: "The database's schema is older or newer than this code. Nothing was changed. **Remedy**: `npm run migrate`, or deploy the version that fits.",
    is: 'Skema gagnagrunnsins er eldra eða nýrra en forritið. Engu var breytt. **Ráð**: `npm run migrate`, eða setjið upp útgáfuna sem passar.',
  },
  lease_held: {
    en: "Another run of this mirror is under way. A scheduled run is tried again by Cloud Scheduler. Nobody is erased meanwhile: the run may have read the registry before the person left. **Remedy**: wait; a crashed run's lease expires by itself.",
    is: 'Önnur keyrsla þessa spegils stendur yfir. Áætlaðar keyrslur eru reyndar aftur, og engum er eytt á meðan. **Ráð**: Bíðið; hafi keyrsla hrunið losnar spegillinn af sjálfu sér.',
  },
  lease_lost: {
    en: 'Another run took over while this one worked, because its lease had expired; this one changed nothing. **Remedy**: none, unless it comes often: then runs are too slow.',
    is: 'Önnur keyrsla tók við þar sem tími þessarar var útrunninn; þessi breytti engu. **Ráð**: Ekkert, nema þetta gerist oft: þá eru keyrslur of hægar.',
  },
  already_done: {
    en: 'Cloud Scheduler delivered one occurrence twice. Nothing to do.',
    is: 'Cloud Scheduler sendi sömu keyrsluna tvisvar. Ekkert þarf að gera.',
  },
  paused: {
    en: 'An operator has paused this mirror. **Remedy**: resume it when the reason is gone.',
    is: 'Umsjón hefur gert hlé á þessum spegli. **Ráð**: Haldið áfram þegar ástæðan er horfin.',
  },
  abandoned: {
    en: "A run ended without closing its record: the process died. The next run closed it, and its warning `abandoned_run_published` says whether the dead run had published. **Remedy**: look at that run's log for a memory or time limit.",
    is: 'Keyrsla endaði án þess að loka skráningu sinni: ferlið dó. Næsta keyrsla lokaði henni; viðvörunin `abandoned_run_published` segir hvort sú sem dó hafði birt listann. **Ráð**: Leitið í atburðaskrá keyrslunnar að minnis- eða tímamörkum.',
  },
  deadline_exceeded: {
    en: 'The run reached its time limit before anything was written, or half-way (outcome `partial`). Tried again; a large load goes on from where it was left.',
    is: 'Keyrslan náði tímamörkum áður en nokkuð var skrifað, eða í miðjum klíðum (`partial`). Hún er reynd aftur; mikil hleðsla heldur áfram þaðan sem frá var horfið.',
  },
  load_moved: {
    en: "The registry changed while one plan was written over several runs. What was written stands; the next run compares everything, and the guard judges it. **Remedy**: none, it is tried again; if it comes back every time, run the portal's reconcile when the registry is quiet.",
    is: 'Félagaskráin breyttist meðan ein áætlun var skrifuð í mörgum keyrslum. Það sem var skrifað stendur; næsta keyrsla ber allt saman og vörnin dæmir. **Ráð**: Engin, keyrslan er reynd aftur; komi þetta alltaf aftur er best að keyra samanburð félagavefsins þegar rólegt er í félagaskránni.',
  },
  still_a_member: {
    en: 'Somebody asked to [erase one person](#erase-one-person) whom the registry has as a member. Nothing was erased. **Remedy**: delete the member in the registry first; if they are to stay a member, there is nothing to erase.',
    is: 'Beðið var um að eyða manneskju sem er félagi í félagaskránni. Engu var eytt. **Ráð**: Eyðið fyrst félaganum í félagaskránni; eigi hann að vera áfram félagi er engu að eyða.',
  },
  still_published: {
    en: 'The person to be erased is still a member on the mirrors that the message names: the list, the portal or the register. Refused at the start, nothing was erased; as the code of one store in the answer, that store was left alone. **Remedy**: `npm run ops -- sync roster --project P`, the same with `portal` and `register`, whichever is named; then erase again. If that run is refused, approve it first; a paused mirror must be resumed.',
    is: 'Manneskjan sem á að eyða er enn félagi í einhverjum spegli. **Ráð**: Keyrið spegilinn sem er nefndur og eyðið svo aftur. Sé keyrslunni hafnað þarf að samþykkja hana fyrst; spegil í hléi þarf að setja í gang.',
  },
  events_waiting: {
    en: "The registry has events about the person to be erased that it has not delivered, dead letters included. They would write the person's document again, so nothing was erased. **Remedy**: `manage.py deliver_member_events` in the registry, and *Retry* or *Cancel* for dead letters; or `gcloud scheduler jobs run firebase-schedule-bidirectionalSync-europe-west2 --location europe-west2 --project P`, which takes over what waits. Then erase again.",
    is: 'Félagaskráin á ósenda atburði um manneskjuna sem á að eyða. Þeir myndu skrifa skjal hennar aftur og því var engu eytt. **Ráð**: `manage.py deliver_member_events` í félagaskránni, og svo eyða aftur.',
  },
  chain_broken: {
    en: '`npm run ops -- verify` found records, lists or versions of the list that are not as they were written; each finding names one. Nothing is changed by it, and runs go on. **Remedy**: [the chain is broken](#the-chain-is-broken).',
    is: '`npm run ops -- verify` fann færslur, lista eða útgáfur listans sem eru ekki eins og þær voru skrifaðar; hver niðurstaða nefnir eina. Engu er breytt og keyrslur halda áfram. **Ráð**: Takið afrit áður en neitt er lagað og finnið hver hafði aðgang að gagnagrunninum.',
  },
  roll_unknown: {
    en: 'The list that was in force at the moment asked about is not kept: it is older than the versions of the bucket, or an erasure deleted it. It is not known, which is not the same as empty. **Remedy**: [a roll for an election](#a-roll-for-an-election); freeze a roll before it is needed.',
    is: 'Listinn sem gilti á þeirri stundu er ekki lengur til: hann er eldri en geymdar útgáfur, eða honum var eytt með manneskju sem var afmáð. Það er óvitað, ekki autt. **Ráð**: Frystið félagatal áður en þess er þörf: `npm run ops -- roll --freeze`.',
  },
  secret_unavailable: {
    en: 'A secret could not be read; the message names it and why. **Remedy**: does it exist, is a version enabled, may the service account read it?',
    is: 'Ekki tókst að lesa leyndarmál. **Ráð**: Er það til, er útgáfa þess virk og má þjónustureikningurinn lesa það?',
  },
  config_invalid: {
    en: 'A setting is missing or wrong; the message names it, what was read and what is allowed. **Remedy**: `functions/.env.P`, then deploy.',
    is: 'Stillingu vantar eða hún er röng. **Ráð**: Lagið `functions/.env.P` og setjið upp aftur.',
  },
  invalid_request: {
    en: 'The caller sent something else than agreed; the answer names the field, never its value. **Remedy**: send what [the API](ops-api.md) or the contract says. If the registry is the caller, is its companion app of another version?',
    is: 'Sá sem kallaði sendi annað en umsamið er; svarið nefnir reitinn en aldrei gildið. **Ráð**: Sendið það sem lýsing viðmótsins segir. Sé það félagaskráin sem kallar, er fylgiforrit hennar af annarri útgáfu?',
  },
  unauthenticated: {
    en: 'No valid token or signature. Many from the registry: the secrets differ ([rotation](#rotating-the-webhook-secret-without-loss)) or a clock is off by more than five minutes.',
    is: 'Enginn gildur lykill eða undirskrift. Margar slíkar frá félagaskránni: leyndarmálin eru ólík eða klukka er meira en fimm mínútum röng.',
  },
  forbidden: {
    en: 'A valid caller without the right. **Remedy**: the `roles` claim, or `ADMIN_SERVICE_ACCOUNTS`.',
    is: 'Gildur notandi án réttinda. **Ráð**: Hlutverk notandans (`roles`), eða `ADMIN_SERVICE_ACCOUNTS`.',
  },
  not_found: {
    en: 'There is no such run, item or route. **Remedy**: look for it in the list that it came from; lists of a run, and what was decided, are not kept for ever.',
    is: 'Keyrslan, færslan eða slóðin er ekki til. **Ráð**: Leitið að henni í listanum sem hún kom úr; listar keyrslu og það sem er afgreitt geymist ekki endalaust.',
  },
  unsupported_encoding: {
    en: 'A body with a `Content-Encoding`. Nothing is decompressed here. **Remedy**: send it as it is.',
    is: 'Þjappað eða kóðað efni; því er hafnað áður en það er lesið, því lítið efni getur þanist út í mörg gígabæti. **Ráð**: Sendandinn sleppir `Content-Encoding`.',
  },
  front_missing: {
    en: 'The platform read the request before the function did, so it was refused unread ([decision 29](decisions/0029-requests-are-taken-before-the-platform.md)): another version of `@google-cloud/functions-framework` than the tested one is deployed, or the emulator runs with `--inspect-functions`. **Remedy**: deploy with the version of `functions/package.json`; without `--inspect-functions`.',
    is: 'Hýsingin las beiðnina áður en þetta kerfi gat það, svo henni var hafnað. **Ráð**: Hefur `@google-cloud/functions-framework` breyst? Gefið út síðustu útgáfu sem virkaði.',
  },
  rate_limited: {
    en: 'Too many requests at once. **Remedy**: wait as `Retry-After` says.',
    is: 'Of margar beiðnir í einu. **Ráð**: Bíðið eins og `Retry-After` segir.',
  },
  too_large: {
    en: 'A request over its limit: 256 KiB for a webhook, 64 KiB elsewhere. Nothing of it was read. **Remedy**: no event and no order is that large, so look at what sends it.',
    is: 'Beiðnin er yfir mörkum: 256 KiB fyrir vefkrók, 64 KiB annars. Ekkert af henni var lesið. **Ráð**: Enginn atburður og engin skipun er svo stór; skoðið hvað sendir hana.',
  },
  method_not_allowed: {
    en: 'Another method than the one served; `Allow` says which. **Remedy**: use that one. A browser that only opens the address sends `GET`, and that starts nothing.',
    is: 'Önnur aðferð en sú sem er í boði; `Allow` segir hver hún er. **Ráð**: Notið hana. Vafri sem aðeins opnar slóðina sendir `GET` og það ræsir ekkert.',
  },
  internal: {
    en: 'A fault in this project. The answer has a reference; the log entry with the same reference has the stack. **Remedy**: open an issue with the stack. Frames name files and lines, no data.',
    is: 'Villa í þessu kerfi. Svarið hefur tilvísun; færslan með sömu tilvísun í atburðaskrá hefur staflann. **Ráð**: Tilkynnið með staflanum. Hann nefnir skrár og línur, engin gögn.',
  },
};
