import { type Signal, useSignal } from '@preact/signals';
import type { ComponentChildren, JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { HUB_URL, isInApplication } from '../src/page-places.js';
import { clock } from './hooks.js';
import { resourceOfHub } from './hub-verdict.js';
import type { Session } from './session.js';
import { factsOf, type Grant, type TokenFacts } from './token-claims.js';
import { WhyNot } from './token-why.js';
import { formatMoment, t } from './translation.js';

/** What the tokens of this page say, what they allow, and why not more. */
export function TokenInspector({ session }: { session: Session }): JSX.Element {
  const resource = useSignal(HUB_URL);
  useEffect(() => {
    void resourceOfHub(session).then((named) => (resource.value = named));
  }, [session]);
  const identity = session.identity.value;
  if (!identity) return <p class="help">{t('inspectorNone')}</p>;
  const { token, publishToken, adminToken } = identity;
  return (
    <div class="inspector">
      {token === undefined && <p class="help">{t(isInApplication ? 'inspectorSession' : 'inspectorAnonymous')}</p>}
      {token !== undefined && (
        <Token
          key={token}
          id="token-reading"
          title={t(publishToken === undefined ? 'inspectorBoth' : 'inspectorReading')}
          token={token}
          resource={resource}
        />
      )}
      {publishToken !== undefined && (
        <Token
          key={publishToken}
          id="token-publishing"
          title={t('inspectorPublishing')}
          token={publishToken}
          resource={resource}
        />
      )}
      {adminToken !== undefined && (
        <Token
          key={adminToken}
          id="token-administering"
          title={t('inspectorAdministering')}
          token={adminToken}
          resource={resource}
        />
      )}
      <WhyNot session={session} resource={resource.value} />
    </div>
  );
}

interface TokenProps {
  readonly id: string;
  readonly title: string;
  readonly token: string;
  readonly resource: Signal<string>;
}

function Token({ id, title, token, resource }: TokenProps): JSX.Element {
  const isShown = useSignal(false);
  const facts = factsOf(token);
  return (
    <section id={id} aria-labelledby={`${id}-title`}>
      <div class="actions">
        <h3 id={`${id}-title`}>{title}</h3>
        <button type="button" aria-expanded={isShown.value} onClick={() => (isShown.value = !isShown.value)}>
          {t(isShown.value ? 'tokenHide' : 'tokenShow')}
        </button>
      </div>
      {isShown.value && (
        <pre class="mono" tabIndex={0} role="region" aria-label={`JWT: ${title}`}>
          {token}
        </pre>
      )}
      {facts ? <Facts facts={facts} resource={resource.value} /> : <p class="notice">{t('inspectorUnreadable')}</p>}
    </section>
  );
}

function Facts({ facts, resource }: { facts: TokenFacts; resource: string }): JSX.Element {
  const { subject, issuer, name, algorithm, keyId, issuedAt, validFrom, isAdmin, payloads, isOf0x } = facts;
  return (
    <dl class="claims">
      <Fact name={t('tokenSubject')}>{subject ?? <i>{t('tokenNobody')}</i>}</Fact>
      <Fact name={t('tokenIssuer')}>{issuer ?? <i>{t('tokenUnlimited')}</i>}</Fact>
      <Audience facts={facts} resource={resource} />
      {name !== undefined && <Fact name={t('tokenName')}>{name}</Fact>}
      <Fact name={t('tokenKey')}>
        {[algorithm ?? t('none'), keyId].filter(Boolean).join(', ')} {isOf0x && <Badge>{t('tokenOf0x')}</Badge>}
      </Fact>
      {issuedAt !== undefined && <Fact name={t('tokenIssued')}>{formatMoment(issuedAt)}</Fact>}
      {validFrom !== undefined && <Fact name={t('tokenFrom')}>{formatMoment(validFrom)}</Fact>}
      <Expiry at={facts.expiresAt} />
      <Fact name={t('tokenMayRead')}>
        <Grants grants={facts.reads} />
      </Fact>
      <Fact name={t('tokenMayPublish')}>
        <Grants grants={facts.publishes} />
      </Fact>
      <Fact name={t('tokenMayAdminister')}>{t(isAdmin ? 'tokenYes' : 'tokenNo')}</Fact>
      {payloads.map((payload, index) => (
        <Fact key={index} name={t('tokenPayload')}>
          <span class="mono">{JSON.stringify(payload)}</span>
        </Fact>
      ))}
    </dl>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Badge({ children, isBad = false }: { children: ComponentChildren; isBad?: boolean }): JSX.Element {
  return <span class={isBad ? 'badge bad' : 'badge'}>{children}</span>;
}

function Audience({ facts: { audiences, isOf0x }, resource }: { facts: TokenFacts; resource: string }): JSX.Element {
  const isForHub = audiences.includes(resource);
  return (
    <Fact name={t('tokenAudience')}>
      {audiences.length > 0 ? audiences.join(', ') : <i>{t('tokenUnlimited')}</i>}{' '}
      {isForHub && <Badge>{t('tokenForHub')}</Badge>}
      {!isForHub && !isOf0x && <Badge isBad>{t('tokenForOthers', { resource })}</Badge>}
    </Fact>
  );
}

/** When a token ends, counted down. */
function Expiry({ at }: { at: number | undefined }): JSX.Element {
  const left = at === undefined ? Infinity : at - clock.value;
  return (
    <Fact name={t('tokenExpires')}>
      {at === undefined ? t('tokenNever') : formatMoment(at)} {left <= 0 && <Badge isBad>{t('tokenExpired')}</Badge>}
      {left > 0 && left < Infinity && <Badge>{t('tokenLeft', { left: countdown(left) })}</Badge>}
    </Fact>
  );
}

function Grants({ grants }: { grants: readonly Grant[] }): JSX.Element {
  if (grants.length === 0) return <i>{t('tokenNothing')}</i>;
  return (
    <ul class="grants">
      {grants.map(({ kind, text }) => (
        <li key={`${kind} ${text}`}>
          {text === '*' ? t('tokenEverything') : <span class="mono">{text}</span>}
          {kind === 'pattern' && <Badge>{t('kindPattern')}</Badge>}
          {kind === 'template' && <Badge>{t('tokenTemplate')}</Badge>}
        </li>
      ))}
    </ul>
  );
}

/** Milliseconds as hours, minutes and seconds: "1:02:03". */
function countdown(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1_000);
  const parts = [Math.floor(seconds / 60) % 60, seconds % 60].map((part) => String(part).padStart(2, '0'));
  return [Math.floor(seconds / 3_600), ...parts].join(':');
}
