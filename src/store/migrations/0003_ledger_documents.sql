ALTER TABLE "ledger" ADD COLUMN "document_id" uuid;--> statement-breakpoint
ALTER TABLE "ledger" ADD CONSTRAINT "ledger_document_id_documents_id_fk" FOREIGN KEY ("document_id") REFERENCES "public"."documents"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "ledger_by_document" ON "ledger" USING btree ("document_id");