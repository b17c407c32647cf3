/** What the form for publishing says. */
const en = {
  publish: 'Publish',
  publishTitle: 'Publish an update',
  idNote: 'auto',
  private: 'Private: only for those whose token grants the topic',
  dataInvalid: 'Not JSON:',
  format: 'Format',
  published: 'Published as {id}',
  publishFailed: 'Not published:',
  shortcut: 'Ctrl+Enter publishes',
  past: 'Published before',
  publishTopics: 'Topics, one a line',
  format_json: 'JSON',
  format_text: 'Text',
  dataFormat: 'Sent as',
  retry: 'Retry (ms)',
  needsConnection: 'Connect first: publishing needs a connection.',
};

/** The same in simplified Chinese. */
const zhCN: Readonly<Record<keyof typeof en, string>> = {
  publish: '发布',
  publishTitle: '发布更新',
  idNote: '自动',
  private: '私有：仅令牌允许该主题的读者可见',
  dataInvalid: '不是 JSON：',
  format: '格式化',
  published: '已发布，id 为 {id}',
  publishFailed: '未发布：',
  shortcut: 'Ctrl+Enter 发布',
  past: '之前发布的',
  publishTopics: '主题，每行一个',
  format_json: 'JSON',
  format_text: '文本',
  dataFormat: '发送格式',
  retry: '重连等待（毫秒）',
  needsConnection: '请先连接：发布需要连接。',
};

export const publishTexts = { en, zhCN };
