import { code, literal, phpLiteral, type SnippetSubject, type SnippetUpdate } from './snippet-code.js';
import { fieldsOf } from './snippets-browser.js';

const PROMISE = 'Comes back by itself after an interruption, and goes on after the last update that was whole.';
const NOTICES = 'Events named "herald" are the hub’s own notices.';

/** Whether an update is wanted, as an expression of each of these languages: they all compare strings like this. */
function isWanted({ type }: SnippetSubject, variable: string, equal = '=='): string {
  return type === '' ? `${variable} != "herald"` : `${variable} ${equal} ${literal(type)}`;
}

export function nodeSubscribe(subject: SnippetSubject, url: string): string {
  const { needsToken } = subject;
  return code(
    `// ${PROMISE}`,
    `const url = ${literal(url)};`,
    'let lastId;',
    '',
    'function onEvent(lines) {',
    '  let [id, type, data] = [lastId, "message", []];',
    '  for (const line of lines.split("\\n")) {',
    '    const [, name, value] = /^(\\w+): ?(.*)$/s.exec(line) ?? [];',
    '    if (name === "id") id = value;',
    '    if (name === "event") type = value;',
    '    if (name === "data") data.push(value);',
    '  }',
    '  lastId = id;',
    `  // ${NOTICES}`,
    `  if (data.length > 0 && ${isWanted(subject, 'type', '===').replace('!=', '!==')}) console.log(data.join("\\n"));`,
    '}',
    '',
    'for (;;) {',
    needsToken ? '  const headers = { authorization: `Bearer ${process.env.HERALD_TOKEN}` };' : '  const headers = {};',
    '  if (lastId) headers["last-event-id"] = lastId;',
    '  const response = await fetch(url, { headers }).catch(() => undefined);',
    '  if (response?.status >= 400 && response.status < 500) throw new Error(await response.text());',
    '  let rest = "";',
    '  try {',
    '    for await (const text of response?.body.pipeThrough(new TextDecoderStream()) ?? []) {',
    '      const events = (rest + text).split("\\n\\n");',
    '      rest = events.pop();',
    '      events.forEach(onEvent);',
    '    }',
    '  } catch {',
    '    // The connection broke.',
    '  }',
    '  await new Promise((resolve) => setTimeout(resolve, 1_000));',
    '}',
  );
}

export function nodePublish({ hubUrl }: SnippetSubject, update: SnippetUpdate): string {
  return code(
    `const response = await fetch(${literal(hubUrl)}, {`,
    '  method: "POST",',
    '  headers: { authorization: `Bearer ${process.env.HERALD_TOKEN}` },',
    `  body: new URLSearchParams(${fieldsOf(update)}),`,
    '});',
    'if (!response.ok) throw new Error(await response.text());',
    'console.log(await response.text());',
  );
}

export function pythonSubscribe(subject: SnippetSubject, url: string): string {
  return code(
    `# ${PROMISE}`,
    'import http.client',
    subject.needsToken && 'import os',
    'import time',
    'import urllib.error',
    'import urllib.request',
    '',
    `url = ${literal(url)}`,
    'last_id = None',
    'while True:',
    subject.needsToken ? '    headers = {"Authorization": "Bearer " + os.environ["HERALD_TOKEN"]}' : '    headers = {}',
    '    if last_id:',
    '        headers["Last-Event-ID"] = last_id',
    '    try:',
    '        request = urllib.request.Request(url, headers=headers)',
    '        with urllib.request.urlopen(request, timeout=60) as stream:',
    '            new_id, kind, data = last_id, "message", []',
    '            for line in stream:',
    '                name, _, value = line.decode().rstrip("\\n").partition(":")',
    '                value = value.removeprefix(" ")',
    '                if name == "id":',
    '                    new_id = value',
    '                elif name == "event":',
    '                    kind = value',
    '                elif name == "data":',
    '                    data.append(value)',
    '                elif line == b"\\n":',
    '                    last_id = new_id',
    `                    # ${NOTICES}`,
    `                    if data and ${isWanted(subject, 'kind')}:`,
    '                        print("\\n".join(data), flush=True)',
    '                    kind, data = "message", []',
    '    except urllib.error.HTTPError as error:',
    '        if error.code < 500:',
    '            raise SystemExit(error.read().decode())',
    '    except (OSError, http.client.HTTPException):',
    '        pass  # The connection broke, or nothing came for a minute.',
    '    time.sleep(1)',
  );
}

export function pythonPublish({ hubUrl }: SnippetSubject, { topic, data, type }: SnippetUpdate): string {
  const kind = type === 'message' ? '' : `, "type": ${literal(type)}`;
  return code(
    'import os',
    'import urllib.parse',
    'import urllib.request',
    '',
    `fields = {"topic": ${literal(topic)}, "data": ${literal(data)}${kind}}`,
    'request = urllib.request.Request(',
    `    ${literal(hubUrl)},`,
    '    data=urllib.parse.urlencode(fields).encode(),',
    '    headers={"Authorization": "Bearer " + os.environ["HERALD_TOKEN"]},',
    ')',
    'with urllib.request.urlopen(request, timeout=30) as response:',
    '    print(response.read().decode())',
  );
}

export function phpSubscribe(subject: SnippetSubject, url: string): string {
  const { type } = subject;
  return code(
    '<?php',
    `// ${PROMISE}`,
    `$url = ${phpLiteral(url)};`,
    "$lastId = '';",
    'for (;;) {',
    subject.needsToken
      ? "    $headers = ['Authorization: Bearer ' . getenv('HERALD_TOKEN')];"
      : "    $headers = ['Accept: text/event-stream'];",
    '    if ($lastId !== \'\') $headers[] = "Last-Event-ID: $lastId";',
    '    // By HTTP/1.0, because PHP holds back what comes in chunks.',
    "    $options = ['header' => $headers, 'protocol_version' => 1.0, 'timeout' => 60, 'ignore_errors' => true];",
    "    $stream = @fopen($url, 'r', false, stream_context_create(['http' => $options]));",
    "    $status = $stream ? explode(' ', stream_get_meta_data($stream)['wrapper_data'][0])[1] : '';",
    "    if (str_starts_with($status, '4')) exit(stream_get_contents($stream));",
    "    [$id, $type, $data] = [$lastId, 'message', []];",
    '    while ($stream && ($line = fgets($stream)) !== false) {',
    "        [$name, $value] = explode(':', rtrim($line, \"\\n\"), 2) + ['', ''];",
    "        if (str_starts_with($value, ' ')) $value = substr($value, 1);",
    "        if ($name === 'id') $id = $value;",
    "        if ($name === 'event') $type = $value;",
    "        if ($name === 'data') $data[] = $value;",
    '        if ($line !== "\\n") continue;',
    '        $lastId = $id;',
    `        // ${NOTICES}`,
    `        if ($data && ${type === '' ? "$type !== 'herald'" : `$type === ${phpLiteral(type)}`}) echo implode("\\n", $data), "\\n";`,
    "        [$type, $data] = ['message', []];",
    '    }',
    '    sleep(1);',
    '}',
  );
}

export function phpPublish({ hubUrl }: SnippetSubject, { topic, data, type }: SnippetUpdate): string {
  const kind = type === 'message' ? '' : `, 'type' => ${phpLiteral(type)}`;
  return code(
    '<?php',
    `$fields = ['topic' => ${phpLiteral(topic)}, 'data' => ${phpLiteral(data)}${kind}];`,
    "$context = stream_context_create(['http' => [",
    "    'method' => 'POST',",
    "    'header' => [",
    "        'Authorization: Bearer ' . getenv('HERALD_TOKEN'),",
    "        'Content-Type: application/x-www-form-urlencoded',",
    '    ],',
    "    'content' => http_build_query($fields),",
    "    'ignore_errors' => true,",
    ']]);',
    '// The id, or what is wrong.',
    `echo file_get_contents(${phpLiteral(hubUrl)}, false, $context), "\\n";`,
  );
}

export function goSubscribe(subject: SnippetSubject, url: string): string {
  return code(
    `// ${PROMISE}`,
    'package main',
    '',
    'import (',
    '\t"bufio"',
    '\t"fmt"',
    '\t"io"',
    '\t"net/http"',
    '\t"os"',
    '\t"strings"',
    '\t"time"',
    ')',
    '',
    `const url = ${literal(url)}`,
    '',
    'var lastID string',
    '',
    'func read(stream io.Reader) {',
    '\tlines := bufio.NewReader(stream)',
    '\tid, kind, data := lastID, "message", []string{}',
    '\tfor {',
    "\t\tline, err := lines.ReadString('\\n')",
    '\t\tif err != nil {',
    '\t\t\treturn',
    '\t\t}',
    '\t\tname, value, _ := strings.Cut(strings.TrimSuffix(line, "\\n"), ":")',
    '\t\tvalue = strings.TrimPrefix(value, " ")',
    '\t\tswitch name {',
    '\t\tcase "id":',
    '\t\t\tid = value',
    '\t\tcase "event":',
    '\t\t\tkind = value',
    '\t\tcase "data":',
    '\t\t\tdata = append(data, value)',
    '\t\t}',
    '\t\tif line != "\\n" {',
    '\t\t\tcontinue',
    '\t\t}',
    '\t\tlastID = id',
    `\t\t// ${NOTICES}`,
    `\t\tif len(data) > 0 && ${isWanted(subject, 'kind')} {`,
    '\t\t\tfmt.Println(strings.Join(data, "\\n"))',
    '\t\t}',
    '\t\tkind, data = "message", []string{}',
    '\t}',
    '}',
    '',
    ...goFollow(subject),
  );
}

function goFollow({ needsToken }: SnippetSubject): (string | false)[] {
  return [
    'func main() {',
    '\tfor {',
    '\t\trequest, err := http.NewRequest("GET", url, nil)',
    '\t\tif err != nil {',
    '\t\t\tpanic(err)',
    '\t\t}',
    needsToken && '\t\trequest.Header.Set("Authorization", "Bearer "+os.Getenv("HERALD_TOKEN"))',
    '\t\tif lastID != "" {',
    '\t\t\trequest.Header.Set("Last-Event-ID", lastID)',
    '\t\t}',
    '\t\tif response, err := http.DefaultClient.Do(request); err == nil {',
    '\t\t\tif response.StatusCode/100 == 4 {',
    '\t\t\t\tio.Copy(os.Stderr, response.Body)',
    '\t\t\t\tos.Exit(1)',
    '\t\t\t}',
    '\t\t\tread(response.Body)',
    '\t\t\tresponse.Body.Close()',
    '\t\t}',
    '\t\ttime.Sleep(time.Second)',
    '\t}',
    '}',
  ];
}

export function goPublish({ hubUrl }: SnippetSubject, { topic, data, type }: SnippetUpdate): string {
  const kind = type === 'message' ? '' : `, "type": {${literal(type)}}`;
  return code(
    'package main',
    '',
    'import (',
    '\t"io"',
    '\t"net/http"',
    '\t"net/url"',
    '\t"os"',
    '\t"strings"',
    ')',
    '',
    'func main() {',
    `\tfields := url.Values{"topic": {${literal(topic)}}, "data": {${literal(data)}}${kind}}`,
    `\trequest, err := http.NewRequest("POST", ${literal(hubUrl)}, strings.NewReader(fields.Encode()))`,
    '\tif err != nil {',
    '\t\tpanic(err)',
    '\t}',
    '\trequest.Header.Set("Authorization", "Bearer "+os.Getenv("HERALD_TOKEN"))',
    '\trequest.Header.Set("Content-Type", "application/x-www-form-urlencoded")',
    '\tresponse, err := http.DefaultClient.Do(request)',
    '\tif err != nil {',
    '\t\tpanic(err)',
    '\t}',
    '\t// The id, or what is wrong.',
    '\tio.Copy(os.Stdout, response.Body)',
    '}',
  );
}
