/** Texts of how the console is laid out. English is the source, as in texts.ts. */
export const en = {
  allTopics: 'All {n}',
  fewerTopics: 'Fewer',
  openForm: '+ Topic',
  topicsFull: '{n} of {n}: remove one to add another',
  tokenTitle: 'Connect with a token',
  showTokens: 'Show what is typed',
  cancel: 'Cancel',
  chartKeys: '{title}. Arrow keys go from second to second.',
  chartNoMessages: 'No messages in the last five minutes.',
  chartNoLatency: 'Publish something here to see how long it takes.',
  perSecond: '{n}/s',
  cutShort: 'Cut',
  secondShort: 'Second',
} as const;

/** Simplified Chinese. */
export const zhCN: Readonly<Record<keyof typeof en, string>> = {
  allTopics: '全部 {n} 个',
  fewerTopics: '收起',
  openForm: '+ 主题',
  topicsFull: '已有 {n} 个，达到上限 {n}：请先移除一个',
  tokenTitle: '使用令牌连接',
  showTokens: '显示所输入的内容',
  cancel: '取消',
  chartKeys: '{title}。用方向键逐秒移动。',
  chartNoMessages: '最近五分钟没有消息。',
  chartNoLatency: '在此发布消息，即可看到所需的时间。',
  perSecond: '{n}/秒',
  cutShort: '断网',
  secondShort: '第二个',
};
