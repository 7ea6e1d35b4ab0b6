CREATE TABLE "document_files" (
	"key" text PRIMARY KEY NOT NULL,
	"document_id" uuid,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "document_steps" (
	"document_id" uuid NOT NULL,
	"position" integer NOT NULL,
	"phase" text,
	"title" text NOT NULL,
	"source" text,
	"tokens" integer DEFAULT 0 NOT NULL,
	"status" text NOT NULL,
	"tries" integer DEFAULT 0 NOT NULL,
	"generation_id" uuid,
	"message_id" uuid NOT NULL,
	"text" text DEFAULT '' NOT NULL,
	"value" jsonb,
	"error" jsonb,
	"started_at" timestamp (3) with time zone,
	"duration_ms" integer,
	"search" "tsvector" GENERATED ALWAYS AS (to_tsvector('simple', title || ' ' || left(coalesce(source, ''), 200000))) STORED,
	CONSTRAINT "document_steps_document_id_position_pk" PRIMARY KEY("document_id","position")
);
--> statement-breakpoint
CREATE TABLE "documents" (
	"id" uuid PRIMARY KEY NOT NULL,
	"user_id" text NOT NULL,
	"name" text NOT NULL,
	"media_type" text NOT NULL,
	"bytes" bigint NOT NULL,
	"sha256" text NOT NULL,
	"model" text NOT NULL,
	"provider" text NOT NULL,
	"options" jsonb NOT NULL,
	"status" text NOT NULL,
	"at_once" integer NOT NULL,
	"error" jsonb,
	"cancel_requested_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"ended_at" timestamp (3) with time zone
);
--> statement-breakpoint
ALTER TABLE "generations" ALTER COLUMN "conversation_id" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "generations" ALTER COLUMN "prompt_id" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "generations" ALTER COLUMN "position" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "conversations" ADD COLUMN "document_id" uuid;--> statement-breakpoint
ALTER TABLE "generations" ADD COLUMN "document_id" uuid;--> statement-breakpoint
ALTER TABLE "generations" ADD COLUMN "section_index" integer;--> statement-breakpoint
ALTER TABLE "generations" ADD COLUMN "phase" text;--> statement-breakpoint
ALTER TABLE "document_files" ADD CONSTRAINT "document_files_document_id_documents_id_fk" FOREIGN KEY ("document_id") REFERENCES "public"."documents"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "document_steps" ADD CONSTRAINT "document_steps_document_id_documents_id_fk" FOREIGN KEY ("document_id") REFERENCES "public"."documents"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "documents" ADD CONSTRAINT "documents_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "document_files_by_document" ON "document_files" USING btree ("document_id");--> statement-breakpoint
CREATE INDEX "documents_by_user" ON "documents" USING btree ("user_id","created_at");--> statement-breakpoint
CREATE INDEX "documents_active" ON "documents" USING btree ("created_at") WHERE status in ('queued', 'running');--> statement-breakpoint
ALTER TABLE "conversations" ADD CONSTRAINT "conversations_document_id_documents_id_fk" FOREIGN KEY ("document_id") REFERENCES "public"."documents"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "generations" ADD CONSTRAINT "generations_document_id_documents_id_fk" FOREIGN KEY ("document_id") REFERENCES "public"."documents"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "conversations_by_document" ON "conversations" USING btree ("document_id");--> statement-breakpoint
CREATE INDEX "generations_by_document" ON "generations" USING btree ("document_id");--> statement-breakpoint
ALTER TABLE "generations" ADD CONSTRAINT "generations_of_one_place" CHECK ((conversation_id is null) <> (document_id is null) and (document_id is not null or
        (prompt_id is not null and position is not null)));