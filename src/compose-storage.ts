import { join, resolve } from 'node:path';
import type { Env } from './config/env.js';
import type { FileStorage } from './storage/file-storage.js';
import { FolderStorage } from './storage/folder-storage.js';

/** Where files are on their way into the storage; the same volume as the folder's. */
export const incomingFolder = ({ stores }: Env): string => join(uploadsFolder(stores.dataDir), 'incoming');

const uploadsFolder = (dataDir: string) => resolve(dataDir, 'uploads');

/** The storage that is set: a bucket, else a folder below `DATA_DIR`. */
export async function openStorage({ s3, stores }: Env): Promise<FileStorage> {
  if (!s3) return new FolderStorage(join(uploadsFolder(stores.dataDir), 'files'));
  // Only here, since the SDK is large and most do without.
  const { S3Storage } = await import('./storage/s3-storage.js');
  return new S3Storage(s3);
}
