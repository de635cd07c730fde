BEGIN;
--
-- Add field a to memberversion
--
ALTER TABLE "ekklesia_sync_memberversion" ADD COLUMN "a" bigint DEFAULT 0 NOT NULL;
ALTER TABLE "ekklesia_sync_memberversion" ALTER COLUMN "a" DROP DEFAULT;
--
-- Add field b to memberversion
--
ALTER TABLE "ekklesia_sync_memberversion" ADD COLUMN "b" bigint DEFAULT 0 NOT NULL;
ALTER TABLE "ekklesia_sync_memberversion" ALTER COLUMN "b" DROP DEFAULT;
--
-- Add field bucket to memberversion
--
ALTER TABLE "ekklesia_sync_memberversion" ADD COLUMN "bucket" smallint NULL;
--
-- Add field digest to memberversion
--
ALTER TABLE "ekklesia_sync_memberversion" ADD COLUMN "digest" varchar(64) DEFAULT '' NOT NULL;
ALTER TABLE "ekklesia_sync_memberversion" ALTER COLUMN "digest" DROP DEFAULT;
--
-- Add field ka to memberversion
--
ALTER TABLE "ekklesia_sync_memberversion" ADD COLUMN "ka" bigint DEFAULT 0 NOT NULL;
ALTER TABLE "ekklesia_sync_memberversion" ALTER COLUMN "ka" DROP DEFAULT;
--
-- Add field kb to memberversion
--
ALTER TABLE "ekklesia_sync_memberversion" ADD COLUMN "kb" bigint DEFAULT 0 NOT NULL;
ALTER TABLE "ekklesia_sync_memberversion" ALTER COLUMN "kb" DROP DEFAULT;
COMMIT;
