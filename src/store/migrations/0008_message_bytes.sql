ALTER TABLE "messages" ADD COLUMN "bytes" integer;--> statement-breakpoint
CREATE FUNCTION "message_bytes"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW."bytes" := octet_length(NEW."content"::text);
  RETURN NEW;
END
$$;--> statement-breakpoint
CREATE TRIGGER "message_bytes" BEFORE INSERT OR UPDATE OF "content" ON "messages"
FOR EACH ROW EXECUTE FUNCTION "message_bytes"();
