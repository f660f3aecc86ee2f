// A workbook as spreadsheets save it: texts in a table of their own, numbers as numbers.
import { crc32 } from 'node:zlib';

const head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
const ns = 'http://schemas.openxmlformats.org/';
const kinds = 'application/vnd.openxmlformats-officedocument.spreadsheetml';

/** The files of a ZIP archive (APPNOTE.TXT 4.3), stored as they are. */
function archive(parts) {
  const files = [];
  const entries = [];
  let at = 0;
  for (const [name, text] of parts) {
    const body = Buffer.from(text);
    const path = Buffer.from(name);
    // What a file's own head and its entry in the directory have in common.
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(0x5821, 8); // 1 January 2024
    common.writeUInt32LE(crc32(body), 10);
    common.writeUInt32LE(body.length, 14);
    common.writeUInt32LE(body.length, 18);
    common.writeUInt16LE(path.length, 22);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(at, 10);
    const file = Buffer.concat([Buffer.from('PK\x03\x04'), common, path, body]);
    files.push(file);
    entries.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00'), common, rest, path]));
    at += file.length;
  }
  const directory = Buffer.concat(entries);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06');
  end.writeUInt16LE(parts.length, 8);
  end.writeUInt16LE(parts.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...files, directory, end]);
}

/** A workbook of one sheet with these rows of texts and numbers. */
export function workbook(rows) {
  const texts = [...new Set(rows.flat().filter((cell) => typeof cell === 'string'))];
  const sheet = rows
    .map((row, n) => {
      const cells = row.map((value, m) => {
        const place = `r="${String.fromCharCode(65 + m)}${n + 1}"`;
        return typeof value === 'string'
          ? `<c ${place} t="s"><v>${texts.indexOf(value)}</v></c>`
          : `<c ${place}><v>${value}</v></c>`;
      });
      return `<row r="${n + 1}">${cells.join('')}</row>`;
    })
    .join('');
  const strings = texts.map((text) => `<si><t>${text}</t></si>`).join('');
  const link = (id, kind, target) =>
    `<Relationship Id="${id}" Type="${ns}officeDocument/2006/relationships/${kind}" Target="${target}"/>`;
  const links = (inner) =>
    `${head}<Relationships xmlns="${ns}package/2006/relationships">${inner}</Relationships>`;
  const main = `xmlns="${ns}spreadsheetml/2006/main"`;
  const part = (name, kind) => `<Override PartName="/${name}" ContentType="${kinds}.${kind}+xml"/>`;
  return archive([
    [
      '[Content_Types].xml',
      `${head}<Types xmlns="${ns}package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>${part('xl/workbook.xml', 'sheet.main')}${part('xl/worksheets/sheet1.xml', 'worksheet')}${part('xl/sharedStrings.xml', 'sharedStrings')}</Types>`,
    ],
    ['_rels/.rels', links(link('book', 'officeDocument', 'xl/workbook.xml'))],
    [
      'xl/workbook.xml',
      `${head}<workbook ${main} xmlns:r="${ns}officeDocument/2006/relationships"><sheets><sheet name="People" sheetId="1" r:id="s1"/></sheets></workbook>`,
    ],
    [
      'xl/_rels/workbook.xml.rels',
      links(
        link('s1', 'worksheet', 'worksheets/sheet1.xml') +
          link('texts', 'sharedStrings', 'sharedStrings.xml'),
      ),
    ],
    ['xl/sharedStrings.xml', `${head}<sst ${main}>${strings}</sst>`],
    ['xl/worksheets/sheet1.xml', `${head}<worksheet ${main}><sheetData>${sheet}</sheetData></worksheet>`],
  ]);
}
