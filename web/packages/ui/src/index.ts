// The design system: tokens, Mantine's parts that the pages use, and our own.
export {
  ActionIcon,
  Button,
  type ButtonProps,
  Checkbox,
  CloseButton,
  Drawer,
  Loader,
  Menu,
  Modal,
  MultiSelect,
  NumberInput,
  PasswordInput,
  Popover,
  Radio,
  SegmentedControl,
  Select,
  Switch,
  Tabs,
  Textarea,
  TextInput,
  Tooltip,
} from '@mantine/core';
export { useDebouncedValue, useMediaQuery } from '@mantine/hooks';
export { Badge, Key, ProgressBar, StackedBar, Stat, type Part, type Tone } from './badge';
export { CopyButton, CopyField } from './copy';
export { HeatGrid, TimeBars, useChartView, type HeatCell, type Series, type Step } from './charts';
export { ChoiceChips } from './chips';
export { ConfirmDialog } from './confirm';
export { FileDrop } from './file-drop';
export { LongTable } from './long-table';
export { Explained, Facts, Page, Panel } from './page';
export { AudioPlayer } from './player';
export { UiProvider, type Theme } from './provider';
export { Empty, FailureBox, failureWords, Loading, Note, type Failure } from './states';
export { DataTable, type Column } from './table';
export { toast, Toasts } from './toasts';
