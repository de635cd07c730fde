BEGIN;
--
-- Create model MemberSyncQueue
--
CREATE TABLE "ekklesia_sync_membersyncqueue" ("id" serial NOT NULL PRIMARY KEY, "webhook_id" varchar(64) NOT NULL, "ssn" varchar(20) NOT NULL, "django_id" bigint NULL, "action" varchar(10) NOT NULL, "fields_changed_json" text NOT NULL, "origin" varchar(10) NOT NULL, "change_id" varchar(128) NOT NULL, "sync_status" varchar(10) NOT NULL, "created_at" timestamp with time zone NOT NULL, "synced_at" timestamp with time zone NULL, "attempts" integer NOT NULL CHECK ("attempts" >= 0), "next_attempt_at" timestamp with time zone NOT NULL, "last_error" varchar(64) NOT NULL, "superseded_by" integer NULL);
--
-- Create model MemberVersion
--
CREATE TABLE "ekklesia_sync_memberversion" ("id" serial NOT NULL PRIMARY KEY, "ssn" varchar(20) NOT NULL UNIQUE, "django_id" bigint NULL, "version" integer NOT NULL, "changed_at" timestamp with time zone NULL, "delivered_hash" varchar(64) NOT NULL, "claimed_by" varchar(64) NOT NULL, "claim_expires_at" timestamp with time zone NULL);
--
-- Create model AppliedChange
--
CREATE TABLE "ekklesia_sync_appliedchange" ("id" serial NOT NULL PRIMARY KEY, "change_id" varchar(128) NOT NULL UNIQUE, "request_hash" varchar(64) NOT NULL, "status" varchar(10) NOT NULL, "answer_json" text NOT NULL, "created_at" timestamp with time zone NOT NULL);
--
-- Create index ekklesia_queue_due on field(s) sync_status, next_attempt_at of model membersyncqueue
--
CREATE INDEX "ekklesia_queue_due" ON "ekklesia_sync_membersyncqueue" ("sync_status", "next_attempt_at");
--
-- Create index ekklesia_queue_ssn on field(s) ssn, sync_status of model membersyncqueue
--
CREATE INDEX "ekklesia_queue_ssn" ON "ekklesia_sync_membersyncqueue" ("ssn", "sync_status");
CREATE INDEX "ekklesia_sync_memberversion_ssn_630891e8_like" ON "ekklesia_sync_memberversion" ("ssn" varchar_pattern_ops);
CREATE INDEX "ekklesia_sync_memberversion_django_id_abdfd885" ON "ekklesia_sync_memberversion" ("django_id");
CREATE INDEX "ekklesia_sync_memberversion_changed_at_caaf54aa" ON "ekklesia_sync_memberversion" ("changed_at");
CREATE INDEX "ekklesia_sync_memberversion_claim_expires_at_df6baac5" ON "ekklesia_sync_memberversion" ("claim_expires_at");
CREATE INDEX "ekklesia_sync_appliedchange_change_id_81f79925_like" ON "ekklesia_sync_appliedchange" ("change_id" varchar_pattern_ops);
CREATE INDEX "ekklesia_sync_appliedchange_created_at_2cee660b" ON "ekklesia_sync_appliedchange" ("created_at");
COMMIT;
