/** What the panel of administrators says. */
const en = {
  admin: 'Admin',
  adminRefused: 'Administration needs {setting} and a token signed with it that grants “admin”.',
  askAgain: 'Ask again',
  processes: 'Processes',
  connections: 'Connections',
  thisProcess: 'this one',
  slow: 'slow',
  behind: 'behind',
  end: 'Disconnect',
  endName: 'Disconnect: {who}, connection {id}',
  ended: 'The connection of {who} was ended.',
  revoke: 'Revoke subject',
  revokeTitle: 'Revoke {subject}?',
  revokeNote:
    'Every token of {subject} that was issued until now is refused from now on, and its connections end. This cannot be taken back; new tokens work.',
  revokeDo: 'Revoke {subject}',
  cancel: 'Cancel',
  revoked: 'Revoked: tokens of {subject} that were issued until {time} are refused.',
  actFailed: 'Not done:',
};

/** The same in simplified Chinese. */
const zhCN: Readonly<Record<keyof typeof en, string>> = {
  admin: '管理',
  adminRefused: '管理功能需要 {setting}，以及用它签名并授予“admin”的令牌。',
  askAgain: '再次查询',
  processes: '进程',
  connections: '连接',
  thisProcess: '本进程',
  slow: '缓慢',
  behind: '落后',
  end: '断开',
  endName: '断开：{who}，连接 {id}',
  ended: '已结束 {who} 的连接。',
  revoke: '撤销该主体',
  revokeTitle: '撤销 {subject}？',
  revokeNote: '{subject} 此前签发的所有令牌从现在起都会被拒绝，其连接也会结束。此操作无法撤回；新令牌仍可使用。',
  revokeDo: '撤销 {subject}',
  cancel: '取消',
  revoked: '已撤销：{subject} 在 {time} 之前签发的令牌将被拒绝。',
  actFailed: '未完成：',
};

export const adminTexts = { en, zhCN };
