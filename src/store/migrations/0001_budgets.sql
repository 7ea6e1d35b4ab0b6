CREATE TABLE "budget_limits" (
	"scope" text NOT NULL,
	"subject" text NOT NULL,
	"limit_nano" bigint,
	CONSTRAINT "budget_limits_scope_subject_pk" PRIMARY KEY("scope","subject"),
	CONSTRAINT "budget_limits_amount" CHECK (limit_nano >= 0)
);
--> statement-breakpoint
CREATE TABLE "budgets" (
	"scope" text NOT NULL,
	"subject" text NOT NULL,
	"period" text NOT NULL,
	"reserved_nano" bigint DEFAULT 0 NOT NULL,
	"spent_nano" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "budgets_scope_subject_period_pk" PRIMARY KEY("scope","subject","period"),
	CONSTRAINT "budgets_period" CHECK ((scope = 'user') = (period <> 'all')),
	CONSTRAINT "budgets_amounts" CHECK (reserved_nano >= 0 and spent_nano >= 0)
);
--> statement-breakpoint
CREATE TABLE "ledger" (
	"generation_id" uuid PRIMARY KEY NOT NULL,
	"user_id" text NOT NULL,
	"conversation_id" uuid,
	"day" date NOT NULL,
	"model" text NOT NULL,
	"input_tokens" integer NOT NULL,
	"output_tokens" integer NOT NULL,
	"cache_read_input_tokens" integer NOT NULL,
	"cache_creation_input_tokens" integer NOT NULL,
	"cost_nano" bigint NOT NULL,
	"cache_saved_nano" bigint NOT NULL,
	"first_token_ms" integer,
	CONSTRAINT "ledger_cost" CHECK (cost_nano >= 0)
);
--> statement-breakpoint
ALTER TABLE "generations" ADD COLUMN "budget_day" date DEFAULT (now() at time zone 'utc')::date NOT NULL;--> statement-breakpoint
ALTER TABLE "generations" ADD COLUMN "reserved_nano" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "generations" ADD COLUMN "spent_nano" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "generations" ADD COLUMN "lost_nano" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "generations" ADD COLUMN "asked_max_tokens" integer;--> statement-breakpoint
ALTER TABLE "generations" ADD COLUMN "budget" jsonb;--> statement-breakpoint
ALTER TABLE "ledger" ADD CONSTRAINT "ledger_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "ledger" ADD CONSTRAINT "ledger_conversation_id_conversations_id_fk" FOREIGN KEY ("conversation_id") REFERENCES "public"."conversations"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "ledger_by_user" ON "ledger" USING btree ("user_id","day");--> statement-breakpoint
CREATE INDEX "ledger_by_conversation" ON "ledger" USING btree ("conversation_id");--> statement-breakpoint
ALTER TABLE "generations" ADD CONSTRAINT "generations_reserved" CHECK (reserved_nano = 0 or (reserved_nano > 0 and status in ('waiting', 'queued', 'running')));--> statement-breakpoint
ALTER TABLE "generations" ADD CONSTRAINT "generations_spent" CHECK (spent_nano >= 0 and lost_nano >= 0);--> statement-breakpoint
-- What was used before there was a ledger.
INSERT INTO "ledger" ("generation_id", "user_id", "conversation_id", "day", "model", "input_tokens", "output_tokens",
  "cache_read_input_tokens", "cache_creation_input_tokens", "cost_nano", "cache_saved_nano", "first_token_ms")
SELECT "id", "user_id", "conversation_id", ("created_at" at time zone 'utc')::date, "model",
  coalesce(("usage"->>'inputTokens')::int, 0), coalesce(("usage"->>'outputTokens')::int, 0),
  coalesce(("usage"->>'cacheReadInputTokens')::int, 0), coalesce(("usage"->>'cacheCreationInputTokens')::int, 0),
  round(coalesce("cost_usd", 0)::numeric * 1000000000)::bigint, 0, round(("metrics"->>'firstTokenMs')::numeric)::int
FROM "generations" WHERE "started_at" IS NOT NULL AND "ended_at" IS NOT NULL;
--> statement-breakpoint
INSERT INTO "budgets" ("scope", "subject", "period", "spent_nano")
SELECT 'user', "user_id", to_char("day", 'YYYY-MM-DD'), sum("cost_nano") FROM "ledger"
WHERE "cost_nano" > 0 GROUP BY "user_id", "day"
UNION ALL
SELECT 'conversation', "conversation_id"::text, 'all', sum("cost_nano") FROM "ledger"
WHERE "cost_nano" > 0 GROUP BY "conversation_id";
