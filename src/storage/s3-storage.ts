import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { DeleteObjectCommand, GetObjectCommand, NoSuchKey, S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import type { FileStorage } from './file-storage.js';

export interface S3Options {
  bucket: string;
  /** Of a service that is not Amazon's; its buckets are found by path. */
  endpoint?: string | undefined;
  region: string;
  /** Before every key. */
  prefix: string;
  /** Default: as the AWS SDK finds them, in its variables, files and roles. */
  credentials?: { accessKeyId: string; secretAccessKey: string } | undefined;
}

/** Keeps files in a bucket of Amazon S3 or of a service that speaks its protocol. */
export class S3Storage implements FileStorage {
  readonly #client: S3Client;

  constructor(private readonly options: S3Options) {
    const { endpoint, region, credentials } = options;
    this.#client = new S3Client({
      region,
      ...(endpoint !== undefined && { endpoint, forcePathStyle: true }),
      // A copy: the SDK writes a mark into it, and settings are frozen.
      ...(credentials && { credentials: { ...credentials } }),
      // Others than Amazon do not know the newer checksums.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    });
  }

  async save(key: string, path: string): Promise<void> {
    const upload = new Upload({
      client: this.#client,
      params: { ...this.#object(key), Body: createReadStream(path) },
    });
    await upload.done();
    await rm(path, { force: true });
  }

  async open(key: string): Promise<Readable | undefined> {
    try {
      const { Body } = await this.#client.send(new GetObjectCommand(this.#object(key)));
      // In Node it is one.
      return Body as Readable | undefined;
    } catch (error) {
      if (error instanceof NoSuchKey) return undefined;
      throw error;
    }
  }

  async remove(key: string): Promise<void> {
    await this.#client.send(new DeleteObjectCommand(this.#object(key)));
  }

  close(): void {
    this.#client.destroy();
  }

  #object(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.options.bucket, Key: this.options.prefix + key };
  }
}
