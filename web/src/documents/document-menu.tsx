import { Menu } from '@base-ui/react/menu';
import { Braces, Download, FileDown, MessageSquareText, Trash2 } from 'lucide-react';
import type { DocumentHead } from '../../../src/client/index.js';
import { MenuItem } from '../ui/menu-item.js';
import { toBeDeleted } from './delete-dialog.js';
import { saveFile, saveJson, saveReport } from './save.js';
import { useAskAbout } from './use-document-actions.js';

interface DocumentMenuProps {
  document: DocumentHead;
  /** The button that opens it. */
  trigger: React.ReactElement;
  /** Of the report alone: the ways to have it. */
  only?: 'report';
}

/** What can be done with a document beside watching it. */
export function DocumentMenu({ document, trigger, only }: DocumentMenuProps) {
  const ask = useAskAbout();
  return (
    <Menu.Root modal={false}>
      <Menu.Trigger render={trigger} />
      <Menu.Portal>
        <Menu.Positioner className="floating" sideOffset={4} align="end">
          <Menu.Popup className="menu">
            {!only && (
              <MenuItem
                icon={MessageSquareText}
                onClick={() => {
                  ask.mutate(document);
                }}
              >
                Ask about it
              </MenuItem>
            )}
            <MenuItem icon={Download} onClick={() => void saveReport(document)}>
              Report as Markdown
            </MenuItem>
            <MenuItem icon={Braces} onClick={() => void saveJson(document)}>
              Report as JSON
            </MenuItem>
            {!only && (
              <>
                <MenuItem icon={FileDown} onClick={() => void saveFile(document)}>
                  The file itself
                </MenuItem>
                <Menu.Separator className="menu-rule" />
                <MenuItem
                  icon={Trash2}
                  bad
                  onClick={() => {
                    toBeDeleted.set(document);
                  }}
                >
                  Delete
                </MenuItem>
              </>
            )}
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}
