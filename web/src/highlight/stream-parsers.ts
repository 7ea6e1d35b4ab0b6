import { StreamLanguage } from '@codemirror/language';
import { shell as shellMode } from '@codemirror/legacy-modes/mode/shell';
import { standardSQL } from '@codemirror/legacy-modes/mode/sql';

/** Languages that have no grammar of their own among the others: read line by line. */
export const shell = StreamLanguage.define(shellMode).parser;
export const sql = StreamLanguage.define(standardSQL).parser;
