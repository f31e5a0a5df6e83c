import type { ComponentProps, ReactNode } from 'react'

import { cx } from './cx'
import { Icon, type IconName } from './Icon'
import { Tip } from './Tip'

type Look = 'primary' | 'plain' | 'quiet' | 'danger' | 'frost'

const looks: Record<Look, string> = {
  primary: 'bg-accent text-accent-ink border-transparent enabled:hover:bg-accent-hover font-medium',
  plain: 'bg-raised text-ink border-line-strong enabled:hover:bg-hover',
  quiet: 'bg-transparent text-ink-2 border-transparent enabled:hover:bg-hover enabled:hover:text-ink',
  danger: 'bg-bad text-accent-ink dark:text-[#2b0806] border-transparent enabled:hover:bg-bad-hover font-medium',
  frost: 'bg-raised text-frost border-line-strong enabled:hover:bg-frost-soft font-medium',
}

type Props = Omit<ComponentProps<'button'>, 'disabled'> & {
  look?: Look
  icon?: IconName
  /** Shown in place of the label for icons without words. */
  label?: string
  /** Why it cannot be pressed now. A disabled control always says why. */
  disabledReason?: string | false | null | undefined
  busy?: boolean
  size?: 'sm' | 'md' | 'lg'
  hint?: ReactNode
  /** False where the label is plain from the place; a tooltip would take the first Escape. */
  tip?: boolean
}

const sizes = {
  sm: 'h-6 px-2 text-sm gap-1',
  md: 'h-7.5 px-2.5 gap-1.5',
  lg: 'h-9 px-4 gap-2 text-base',
}

export function Button(props: Props) {
  const { look = 'plain', icon, label, disabledReason, busy, size = 'md', hint, tip: mayTip = true, className, children, ...rest } = props
  const blocked = busy === true || Boolean(disabledReason)
  const button = (
    <button
      type="button"
      {...rest}
      aria-busy={busy}
      aria-disabled={blocked || undefined}
      aria-label={label}
      className={cx(
        'inline-flex shrink-0 select-none items-center justify-center whitespace-nowrap rounded-md border transition-colors duration-75',
        sizes[size],
        looks[look],
        !children && 'aspect-square px-0!',
        blocked && 'cursor-not-allowed opacity-55',
        className,
      )}
      onClick={blocked ? (event) => event.preventDefault() : rest.onClick}
    >
      {busy ? <Spinner /> : icon && <Icon name={icon} size={size === 'sm' ? 14 : 16} />}
      {children}
    </button>
  )
  const tip = disabledReason || hint || (children ? undefined : label)
  return tip && mayTip ? <Tip content={tip}>{button}</Tip> : button
}

export function Spinner() {
  return (
    <svg aria-hidden="true" className="size-3.5 animate-spin" fill="none" viewBox="0 0 16 16">
      <circle cx="8" cy="8" opacity=".25" r="6" stroke="currentColor" strokeWidth="2" />
      <path d="M14 8a6 6 0 0 0-6-6" stroke="currentColor" strokeLinecap="round" strokeWidth="2" />
    </svg>
  )
}
